import { checkInstance } from '../../contract/names.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { writeEvidence } from './index.ts';
import type { EffectScope } from '../effect.ts';

/** Events, conditions and logs of everything that belongs to a failed service. */
export async function collectEvidence(
  clients: Clients,
  { run, service, reason, before, check }: InputOf<'collectEvidence'>,
  scope: EffectScope,
): OutputOf<'collectEvidence'> {
  const releases = service.steps
    .filter((step) => step.kind === 'release')
    .map(({ name, namespace }) => ({ name, namespace }));
  if (check !== undefined) releases.push({ name: checkInstance(service.name, check), namespace: service.namespace });
  const title =
    check === undefined ? (before ? `${service.name}-before` : service.name) : `${service.name}-check-${check}`;
  scope.doing('collects events, conditions and logs');
  return writeEvidence(clients, { runId: run.runId, title, releases, reason }, scope.signal);
}
