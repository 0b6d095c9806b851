/** The steps of a plan in words. Pure. */
import type { OperationStep } from '../../contract/operations/steps.ts';
import { waitsOf } from './order.ts';

const OUTCOMES: Record<NonNullable<OperationStep['finally']>, string> = {
  always: 'at the end',
  succeeded: 'at the end, if it succeeded',
  failed: 'at the end, if it failed',
  interrupted: 'at the end, if it was interrupted',
};

export interface StepRow {
  /** From 1, in the order of the plan. */
  number: number;
  id: string;
  /** `after 3, 7`; `at the end, if it failed`; empty: at once. */
  when: string;
  reason: string;
}

/** One row for each step. A long list of steps that it waits for is shortened: the plan as JSON has all of them. */
export function stepRows(steps: readonly OperationStep[]): StepRow[] {
  const numbers = new Map(steps.map(({ id }, index) => [id, index + 1]));
  return steps.map((step, index) => {
    const waits = waitsOf(step).flatMap((id) => numbers.get(id) ?? []);
    const shown = waits.slice(0, 6).join(', ');
    const after =
      step.kind === 'services'
        ? 'after all steps of services'
        : waits.length === 0
          ? ''
          : `after ${shown}${waits.length > 6 ? ` and ${waits.length - 6} more` : ''}`;
    const when = step.finally === undefined ? after : OUTCOMES[step.finally];
    return {
      number: index + 1,
      id: step.id,
      when: step.onFailure ? `${when}, if a service failed` : when,
      reason: step.reason,
    };
  });
}

/** Whether anything is done to the cluster: steps that only look, record or notify do not count. */
export function doesSomething(steps: readonly OperationStep[]): boolean {
  return steps.some(({ kind, phase, id }) => phase !== undefined || (WORK.includes(kind) && !id.endsWith('/again')));
}

const WORK: readonly OperationStep['kind'][] = [
  'namespace',
  'vault-open',
  'vault-configure',
  'vault-seed',
  'secret-sync',
  'field-patch',
  'adopt',
  'rotate-add',
  'rotate-write',
  'rotate-verify',
  'rotate-revoke',
];
