/**
 * The state of the view. Updates of the screen are throttled, so that a history that is read at once causes one redraw.
 */
import type { WatchData } from './model.ts';

export interface Store {
  get: () => WatchData;
  update: (change: (data: WatchData) => WatchData) => void;
  /** @returns its end */
  subscribe: (listener: () => void) => () => void;
}

const TELL_MS = 100;

export function createStore(): Store {
  let data: WatchData = { texts: {} };
  let told: WatchData = data;
  let timer: NodeJS.Timeout | undefined;
  const listeners = new Set<() => void>();
  const tell = (): void => {
    timer = undefined;
    told = data;
    for (const listener of listeners) listener();
  };
  return {
    get: () => told,
    update(change) {
      data = change(data);
      timer ??= setTimeout(tell, TELL_MS);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
