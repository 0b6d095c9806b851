import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import { withVerdicts } from '../admission/policy.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { OperationPlan } from '../../contract/plan.ts';
import { allReleases } from '../../plan/releases.ts';
import { completedAs } from '../../plan/steps/complete.ts';
import { assertShown } from './binding.ts';
import type { EffectScope } from '../effect.ts';
import { adoptionOf } from '../adopt/adoption.ts';

/** What is taken over, as it was shown; changes nothing. Nothing is applied either: the next deployment does that. */
export async function planAdopt(
  clients: Clients,
  { run, service, expectedDigest }: InputOf<'planAdopt'>,
  scope: EffectScope,
): OutputOf<'planAdopt'> {
  scope.doing('looks at what is to be taken over');

  const { catalog } = clients;
  const [environment, { releases, digest }] = await Promise.all([
    currentEnvironment(clients),
    adoptionOf(clients, service, scope.signal),
  ]);
  const steps = allReleases(catalog);
  const plan: OperationPlan = {
    operation: 'adopt',
    environment: run.environment,
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
  assertShown(expectedDigest, plan);
  return withVerdicts(completedAs(plan, { verb: 'adopt', service }, environment), catalog, environment);
}
