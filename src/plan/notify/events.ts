/** Which events are told to whom. Pure, and without Node. */
import type { NotifyEvent } from '../../contract/notify-events.ts';

/** Whoever wants to know of every end hears of failures, and whoever wants to know of drift of repairs. */
export function isWanted(event: NotifyEvent, wanted: readonly NotifyEvent[]): boolean {
  return (
    wanted.includes(event) ||
    (event === 'failure' && wanted.includes('end')) ||
    (event === 'repair' && wanted.includes('drift'))
  );
}
