/** Whether the processes of an environment make progress, by component name. */
import { type ComponentName, type Layout, logFileOf, pidFileOf } from './layout.ts';
import { vitalsOf } from './process/vitals.ts';

/**
 * @returns a text that changes as long as the process uses processor time or writes to its log; or one that says that
 * it does not run
 */
export type Vitals = (name: ComponentName) => Promise<string>;

export function vitalsIn(layout: Layout): Vitals {
  return (name) => vitalsOf({ pidFile: pidFileOf(layout, name), logFile: logFileOf(layout, name) });
}
