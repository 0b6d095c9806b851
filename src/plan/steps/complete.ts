import type { OperationPlan } from '../../contract/operations/plan.ts';
import type { OperationStep } from '../../contract/operations/steps.ts';
import type { NotifySettings } from '../../environment/fields/notify.ts';
import type { AdmissionRules } from '../admission/steps.ts';
import { digestOf } from '../digest.ts';
import { wantedEvents } from '../notify/targets.ts';
import { type CompleteOperationPlan, compileSteps } from './compile.ts';
import type { Intent } from './intent.ts';

/** The settings of an environment that steps depend on. */
interface EnvironmentRules extends AdmissionRules {
  notify?: NotifySettings;
}

/**
 * The plan with all its steps, under a digest over decisions and steps: the same digest means the same work, step by
 * step, on the same world. Reasons are for people, and make no difference.
 * @param rules of the environment
 */
export function completed(decided: OperationPlan, intent: Intent, rules: EnvironmentRules = {}): CompleteOperationPlan {
  const plan = withNotifications(decided, rules);
  const steps = compileSteps(plan, intent, { rules });
  return { ...plan, steps, digest: digestOf([plan.digest, asked(intent), steps.map(bound)]) };
}

/** @returns the plan with all its steps; bound otherwise: by a digest over more than the plan */
export function completedAs(
  decided: OperationPlan,
  intent: Intent,
  rules: EnvironmentRules = {},
): CompleteOperationPlan {
  const plan = withNotifications(decided, rules);
  return { ...plan, steps: compileSteps(plan, intent, { rules }) };
}

function withNotifications(plan: OperationPlan, { notify }: EnvironmentRules): OperationPlan {
  const notifications = notify && wantedEvents(notify);
  return notifications === undefined ? plan : { ...plan, notifications };
}

function bound({ reason: _reason, ...step }: OperationStep): Omit<OperationStep, 'reason'> {
  return step;
}

/**
 * The part of the request that the digest covers: of a finding its object, its repair and the present value, not its
 * time or writer.
 */
function asked(intent: Intent): unknown {
  if (intent.verb !== 'repair') return intent;
  return [intent.verb, intent.findings.map(({ key, repair, valueDigest }) => [key, repair ?? '', valueDigest])];
}
