import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import { withVerdicts } from '../admission/policy.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { allReleases } from '../../plan/releases.ts';
import { completedAs } from '../../plan/steps/complete.ts';
import { assertShown } from './binding.ts';
import type { EffectScope } from '../effect.ts';
import { adoptionsDigest, adoptionsOf, givingsBackOf, type ServiceAdoption } from '../adopt/several.ts';

interface AdoptionPlan {
  plan: OperationPlan;
  /** What the taking over is bound to. */
  digest: string;
  adoptions: ServiceAdoption[];
}

/** What is taken over, as it was shown. */
export async function planAdopt(
  clients: Clients,
  { service, services = [], expectedDigest, undo }: InputOf<'planAdopt'>,
  scope: EffectScope,
): OutputOf<'planAdopt'> {
  scope.doing(undo ? 'looks at what is to be given back' : 'looks at what is to be taken over');
  const { plan, digest } = await adoptionPlan(
    clients,
    service === undefined ? services : [service],
    scope.signal,
    undo,
    { looked: true },
  );
  assertShown(expectedDigest, plan, digest);
  return plan;
}

/**
 * Every step of taking services over, or of giving them back. Changes nothing, and nothing is applied by it: the next
 * deployment does that.
 * @param services their names, or all of which there is something to take over, or to give back
 * @throws PlanRefusedError when there is nothing to take over, or it cannot be done without harm
 */
export async function adoptionPlan(
  clients: Clients,
  services: readonly string[] | 'all',
  signal: AbortSignal,
  undo?: true,
  more: { looked?: boolean } = {},
): Promise<AdoptionPlan> {
  const { catalog } = clients;
  const [environment, adoptions] = await Promise.all([
    currentEnvironment(clients),
    undo ? givingsBackOf(clients, services, signal) : adoptionsOf(clients, services, signal, more),
  ]);
  const digest = adoptionsDigest(adoptions, undo);
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
    notes: adoptions.flatMap(({ releases }) => releases.map(({ text }) => text)),
  };
  return {
    plan: withVerdicts(
      completedAs(
        plan,
        {
          verb: 'adopt',
          services: adoptions.map(({ service, digest: shown }) => ({ service, digest: shown })),
          ...(undo ? { undo } : {}),
        },
        environment,
      ),
      catalog,
      environment,
    ),
    digest,
    adoptions,
  };
}
