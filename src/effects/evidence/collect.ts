import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { writeEvidence } from './index.ts';
import type { EffectScope } from '../effect.ts';

/** Events, conditions and logs of everything that belongs to a failed service. */
export async function collectEvidence(
  clients: Clients,
  { run, service, reason, before }: InputOf<'collectEvidence'>,
  scope: EffectScope,
): OutputOf<'collectEvidence'> {
  const releases = service.steps
    .filter((step) => step.kind === 'release')
    .map(({ name, namespace }) => ({ name, namespace }));
  scope.doing('collects events, conditions and logs');
  return writeEvidence(
    clients,
    { runId: run.runId, title: before ? `${service.name}-before` : service.name, releases, reason },
    scope.signal,
  );
}
