import type { OperationWait } from '../../contract/operations/deploy.ts';
import { duration } from '../shared/format.ts';

/** What an operation waits for, with the time that is left. @param now milliseconds since the epoch */
export function waitText({ reason, until }: OperationWait, now: number): string {
  if (until === undefined) return reason;
  return `${reason} (${duration(Math.max(0, (Date.parse(until) - now) / 1000))} left)`;
}
