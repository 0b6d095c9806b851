/** Events of the local stack while it starts and stops: data, put into words by whoever shows it. */
import type { ComponentName } from './layout.ts';
import type { ToolProgress } from './tools/index.ts';

export type LocalStackEvent =
  | { kind: 'tool'; progress: ToolProgress }
  | {
      kind: 'component';
      component: ComponentName;
      state: 'starting' | 'ready' | 'died' | 'stopping' | 'stopped';
      /** Since it was started. */
      seconds?: number;
      detail?: string;
    }
  /** A sentence that a person should read. */
  | { kind: 'note'; message: string };

export type Report = (event: LocalStackEvent) => void;

/** One line per event, for a log or a plain terminal. */
export function formatLocalStackEvent(event: Exclude<LocalStackEvent, { kind: 'tool' }>): string {
  if (event.kind === 'note') return event.message;
  const detail = event.detail === undefined ? '' : `: ${event.detail}`;
  switch (event.state) {
    case 'starting':
      return `${event.component} is starting`;
    case 'ready':
      return `${event.component} is ready${event.seconds === undefined ? '' : ` after ${event.seconds.toFixed(1)} s`}${detail}`;
    case 'died':
      return `${event.component} has ended by itself${detail}`;
    case 'stopping':
      return `${event.component} is being stopped${detail}`;
    case 'stopped':
      return `${event.component} is stopped`;
  }
}
