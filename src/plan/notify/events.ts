/** Who is notified of which events. Pure, and without Node. */
import type { NotifyEvent } from '../../contract/notify-events.ts';

/** A target that lists `end` gets failures as well, and one that lists `drift` gets repairs. */
export function isWanted(event: NotifyEvent, wanted: readonly NotifyEvent[]): boolean {
  return (
    wanted.includes(event) ||
    (event === 'failure' && wanted.includes('end')) ||
    (event === 'repair' && wanted.includes('drift'))
  );
}
