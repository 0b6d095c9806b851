/** Whether there is anything to see in an operation. */
import type { LiveEvent } from '../src/cli/render/live.ts';

/** Its plan alone does not say it: an operation may fail, or be cancelled, before it changes anything. */
export function changedSomething(events: readonly LiveEvent[]): boolean {
  return events.some((event) => event.kind === 'progress' && event.event.outcome?.changed === true);
}
