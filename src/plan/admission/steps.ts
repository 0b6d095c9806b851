/** What has to pass before an operation does anything: steps from the rules of its environment. Pure. */
import type { GateRule } from '../../contract/admission/approvals.ts';
import type { Operation, OperationPlan } from '../../contract/operations/plan.ts';
import type { OperationStep } from '../../contract/operations/steps.ts';
import type { Intent } from '../steps/intent.ts';
import { doesSomething } from '../steps/text.ts';
import { subjectTexts } from './gate.ts';

/** Of an environment, as far as they matter here. */
export interface AdmissionRules {
  policy?: readonly { name: string; operations: Operation[] }[];
  approvals?: readonly (GateRule & {
    operations: Operation[];
    services?: string[] | undefined;
    phases?: number[] | undefined;
  })[];
  freeze?: { windows: { name: string }[]; allow: Operation[]; onFrozen: 'wait' | 'refuse' } | undefined;
}

/**
 * One after the other; none where the plan does nothing, and none for what takes back a failed deployment: half of it
 * would stay.
 * @param steps what the operation does otherwise
 */
export function admissionSteps(
  plan: Pick<OperationPlan, 'operation' | 'services'>,
  intent: Intent,
  { freeze, approvals = [], policy = [] }: AdmissionRules,
  steps: readonly OperationStep[],
): OperationStep[] {
  if (intent.verb === 'undo' || !(doesSomething(steps) || intent.verb === 'destroy')) return [];
  const gates = approvals.filter(
    (gate) => gate.operations.includes(plan.operation) && concerns(gate, steps, plan.services),
  );
  const names = policy.filter(({ operations }) => operations.includes(plan.operation)).map(({ name }) => name);
  const asked = [...policyStep(names), ...freezeStep(plan.operation, freeze), ...gates.map(gateStep)];
  return asked.map((step, index) => ({
    ...step,
    dependsOn: asked.slice(Math.max(0, index - 1), index).map(({ id }) => id),
  }));
}

function policyStep(names: readonly string[]): OperationStep[] {
  if (names.length === 0) return [];
  return [{ id: 'policy', kind: 'policy', reason: `the plan keeps ${names.join(', ')}`, dependsOn: [] }];
}

function freezeStep(operation: Operation, freeze: AdmissionRules['freeze']): OperationStep[] {
  if (freeze === undefined || freeze.allow.includes(operation)) return [];
  const names = freeze.windows.map(({ name }) => name).join(', ');
  const meanwhile = freeze.onFrozen === 'wait' ? 'waits for the end' : 'is refused then';
  return [
    { id: 'freeze', kind: 'freeze', reason: `nothing is changed during ${names}: it ${meanwhile}`, dependsOn: [] },
  ];
}

function gateStep({ name, by, count, notSelf, expiresSeconds, waitSeconds, autoApprove }: GateRule): OperationStep {
  const whose = `${count} of ${subjectTexts(by).join(', ')}`;
  return {
    id: `gate/${name}`,
    kind: 'gate',
    reason: `approved by ${whose}${notSelf ? ', not by who asks' : ''}${autoApprove === undefined ? '' : '; by itself where the policy is all green'}`,
    dependsOn: [],
    gate: {
      ...{ name, by, count, notSelf, expiresSeconds, waitSeconds },
      ...(autoApprove === undefined ? {} : { autoApprove }),
    },
  };
}

/** Whether the plan touches what the gate is for. */
function concerns(
  { services, phases }: { services?: string[] | undefined; phases?: number[] | undefined },
  steps: readonly OperationStep[],
  planned: OperationPlan['services'],
): boolean {
  if (services === undefined && phases === undefined) return true;
  return steps.some(
    ({ service, phase }) =>
      service !== undefined &&
      (services?.includes(service) ||
        phases?.includes(phase ?? planned.find(({ name }) => name === service)?.phase ?? 0)),
  );
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
