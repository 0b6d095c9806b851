import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import { withVerdicts } from '../admission/policy.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { allReleases } from '../../plan/releases.ts';
import { completedAs } from '../../plan/steps/complete.ts';
import { assertShown } from './binding.ts';
import type { EffectScope } from '../effect.ts';
import { adoptionOf } from '../adopt/adoption.ts';
import { givingBackOf } from '../adopt/give-back.ts';

interface AdoptionPlan {
  plan: OperationPlan;
  /** What the taking over is bound to. */
  digest: string;
}

/** What is taken over, as it was shown. */
export async function planAdopt(
  clients: Clients,
  { service, expectedDigest, undo }: InputOf<'planAdopt'>,
  scope: EffectScope,
): OutputOf<'planAdopt'> {
  scope.doing(undo ? 'looks at what is to be given back' : 'looks at what is to be taken over');
  const { plan, digest } = await adoptionPlan(clients, service, scope.signal, undo);
  assertShown(expectedDigest, plan, digest);
  return plan;
}

/**
 * Every step of taking a service over, or of giving it back. Changes nothing, and nothing is applied by it: the next
 * deployment does that.
 * @throws PlanRefusedError when there is nothing to take over, or it cannot be done without harm
 */
export async function adoptionPlan(
  clients: Clients,
  service: string,
  signal: AbortSignal,
  undo?: true,
): Promise<AdoptionPlan> {
  const { catalog } = clients;
  const [environment, { releases, digest }] = await Promise.all([
    currentEnvironment(clients),
    undo ? givingBackOf(clients, service, signal) : adoptionOf(clients, service, signal),
  ]);
  const steps = allReleases(catalog);
  const plan: OperationPlan = {
    operation: 'adopt',
    environment: environment.name,
    digest,
    criticalPathSeconds: 0,
    criticalPath: [],
    services: catalog.services.map(({ number, phase, name, namespace, dependsOn }) => ({
      number,
      phase,
      name,
      namespace,
      dependsOn,
      action: 'excluded',
      reason: 'not touched',
      steps: steps
        .filter((step) => step.service === name)
        .map((step) => ({
          kind: step.kind,
          name: step.name,
          namespace: step.namespace,
          job: step.job,
          action: 'excluded',
          reason: 'not touched',
          digest: '',
        })),
      remainingSeconds: 0,
      healthTimeoutSeconds: 0,
    })),
    prerequisites: false,
    simulated: environment.simulation !== undefined,
    phases: catalog.phases,
    helmTimeoutSeconds: environment.helm.timeoutSeconds,
    onFailure: 'stop',
    notes: releases.map(({ text }) => text),
  };
  return {
    plan: withVerdicts(
      completedAs(plan, { verb: 'adopt', service, ...(undo ? { undo } : {}) }, environment),
      catalog,
      environment,
    ),
    digest,
  };
}
