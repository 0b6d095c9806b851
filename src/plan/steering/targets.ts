/** Services that a request can be about. Pure. */
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { isNoop } from '../progress.ts';

/** @returns the service, or those of the phase, that `--at` names, as far as something is done to them */
export function targetOf(plan: OperationPlan, at: string): string[] {
  const due = plan.services.filter(({ action }) => !isNoop(action));
  const named = due.filter(({ name }) => name === at);
  return (named.length > 0 ? named : due.filter(({ phase }) => String(phase) === at)).map(({ name }) => name);
}

/** Names of services that something is done to. */
export function dueServices(plan: OperationPlan): string[] {
  return plan.services.filter(({ action }) => !isNoop(action)).map(({ name }) => name);
}
