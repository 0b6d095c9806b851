/**
 * The complete plan: every step of an operation, from the decisions on its releases and what was asked for. Pure, and
 * without Node, so that a workflow completes a plan that a worker of the version before has made.
 */
import type { OperationPlan, PlannedService } from '../../contract/operations/plan.ts';
import type { OperationStep } from '../../contract/operations/steps.ts';
import { type AdmissionRules, admissionSteps, behind } from '../admission/steps.ts';
import type { Intent } from './intent.ts';
import { platformSteps, SERVICES } from './platform.ts';
import { serviceSteps } from './services.ts';

export interface CompleteOperationPlan extends OperationPlan {
  steps: OperationStep[];
}

/**
 * @returns all steps: those of admission, those before the services, those of services in the plan's order, those
 * after, the closing ones
 */
export function compileSteps(
  plan: Omit<OperationPlan, 'steps'>,
  intent: Intent,
  { earlier = false, rules = {} }: { earlier?: boolean; rules?: AdmissionRules } = {},
): OperationStep[] {
  const rotates = intent.verb === 'rotate';
  const own = new Map(plan.services.map((service) => [service.name, serviceSteps(service, { earlier, rotates })]));
  const lastOf = (service: string): string | undefined => own.get(service)?.at(-1)?.id;
  const { before, after, closing } = platformSteps(plan, intent, lastOf, earlier);
  const required = before.filter(({ optional }) => optional === undefined).map(({ id }) => id);
  const optional = before.filter((step) => step.optional).map(({ id }) => id);
  const services = plan.services.flatMap((service) =>
    serviceSteps(service, {
      dependsOn: [...required.slice(-1), ...service.dependsOn.flatMap((name) => lastOf(name) ?? [])],
      after: optional,
      earlier,
      rotates,
    }),
  );
  const steps: OperationStep[] = [
    ...before,
    ...services,
    {
      id: SERVICES,
      kind: 'services',
      reason: summary(plan.services),
      dependsOn: required.slice(-1),
      after: [...optional, ...plan.services.flatMap(({ name }) => lastOf(name) ?? [])],
    },
    ...after,
    ...closing,
  ];
  return behind(admissionSteps(plan, intent, rules, steps), steps);
}

/** @returns the plan as it is where it is complete; with the steps that the version before took where it is not */
export function withSteps(plan: OperationPlan, intent: Intent): CompleteOperationPlan {
  if (plan.steps) return { ...plan, steps: plan.steps };
  const decided = { ...plan, prerequisites: plan.groundwork ?? plan.prerequisites };
  return { ...decided, steps: compileSteps(decided, intent, { earlier: true }) };
}

function summary(services: readonly PlannedService[]): string {
  const atWork = services.filter((service) => serviceSteps(service).length > 0).length;
  return `${atWork} of ${services.length} services, each as soon as what it depends on has ended`;
}
