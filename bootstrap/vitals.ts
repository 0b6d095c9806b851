/** Whether the parts of an environment move, asked by their names. */
import { type ComponentName, type Layout, logFileOf, pidFileOf } from './layout.ts';
import { vitalsOf } from './process/vitals.ts';

/** @returns words that change as long as it computes or writes into its log, or say that it does not run */
export type Vitals = (name: ComponentName) => Promise<string>;

export function vitalsIn(layout: Layout): Vitals {
  return (name) => vitalsOf({ pidFile: pidFileOf(layout, name), logFile: logFileOf(layout, name) });
}
