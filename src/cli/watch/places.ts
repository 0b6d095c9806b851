/** Keeps only the data of the current place up to date. */
import { type Place, placeName } from './model.ts';
import type { Store } from './store.ts';

export interface PlaceStart {
  /** The operation of the place, which the one before did not show. */
  operation: (place: Extract<Place, { screen: 'operation' | 'service' }>, signal: AbortSignal) => void;
  service: (place: Extract<Place, { screen: 'service' }>, signal: AbortSignal) => void;
}

/** @returns a function to call with each place that is opened; it ends what only the place before needed */
export function placeWatcher(store: Store, start: PlaceStart): (place: Place) => void {
  let run: { id: string; end: AbortController } | undefined;
  let service: { name: string; end: AbortController } | undefined;
  return (place) => {
    const runId = 'run' in place ? place.run.runId : '';
    if (run?.id !== runId) {
      run?.end.abort();
      run = { id: runId, end: new AbortController() };
      store.update(({ view: _before, ...data }) => data);
      if (place.screen === 'operation' || place.screen === 'service') start.operation(place, run.end.signal);
    }
    const name = place.screen === 'service' ? placeName(place) : '';
    if (service?.name === name) return;
    service?.end.abort();
    service = { name, end: new AbortController() };
    store.update((data) => ({ ...data, texts: {} }));
    if (place.screen === 'service') start.service(place, service.end.signal);
  };
}
