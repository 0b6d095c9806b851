/** What has to be settled before an operation does anything: steps from the rules of its environment. Pure. */
import type { Operation, OperationPlan } from '../../contract/plan.ts';
import type { OperationStep } from '../../contract/steps.ts';
import type { Intent } from '../steps/intent.ts';
import { doesSomething } from '../steps/text.ts';

/** Of an environment, as far as they matter here. */
export interface AdmissionRules {
  freeze?: { windows: { name: string }[]; allow: Operation[]; onFrozen: 'wait' | 'refuse' } | undefined;
}

/**
 * One after the other; none where the plan does nothing, and none for what takes back a failed deployment: half of it
 * would stay.
 * @param steps what the operation does otherwise
 */
export function admissionSteps(
  { operation }: Pick<OperationPlan, 'operation'>,
  intent: Intent,
  { freeze }: AdmissionRules,
  steps: readonly OperationStep[],
): OperationStep[] {
  if (intent.verb === 'undo' || !(doesSomething(steps) || intent.verb === 'destroy')) return [];
  if (freeze === undefined || freeze.allow.includes(operation)) return [];
  const names = freeze.windows.map(({ name }) => name).join(', ');
  return [
    {
      id: 'freeze',
      kind: 'freeze',
      reason: `nothing is changed during ${names}: it ${freeze.onFrozen === 'wait' ? 'waits for the end' : 'is refused then'}`,
      dependsOn: [],
    },
  ];
}

/** Everything else waits for them: what waited for nothing waits for the last of them. */
export function behind(admission: readonly OperationStep[], steps: readonly OperationStep[]): OperationStep[] {
  const last = admission.at(-1);
  if (last === undefined) return [...steps];
  return [
    ...admission,
    ...steps.map((step) =>
      step.finally === undefined && step.dependsOn.length === 0 ? { ...step, dependsOn: [last.id] } : step,
    ),
  ];
}
