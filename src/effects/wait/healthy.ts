/** Waits for one release of a service; on a new attempt the time already spent still counts. */
import { z } from 'zod';
import type { Service } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf, WaitingBeat } from '../../contract/activities.ts';
import type { ChartChoice } from '../../plan/charts/source.ts';
import { healthOf } from '../../plan/health-check.ts';
import { findRelease, findService, type Release } from '../../plan/releases.ts';
import { markVerified } from '../release/revisions.ts';
import type { EffectScope } from '../effect.ts';
import { createDeadline } from './deadline.ts';
import { waitForRelease, type WaitInput } from './release.ts';

const beatSchema = z.object({ spentSeconds: z.number() });

export async function awaitHealthy(
  clients: Clients,
  { service, step, timeoutSeconds }: InputOf<'awaitHealthy'>,
  scope: EffectScope,
): OutputOf<'awaitHealthy'> {
  const awaited = findService(clients.catalog, service);
  const earlier = beatSchema.safeParse(scope.lastDetail);
  const deadline = createDeadline({
    limitSeconds: timeoutSeconds,
    spentSeconds: earlier.success ? earlier.data.spentSeconds : 0,
    signal: scope.signal,
  });
  let waiting: Omit<WaitingBeat, 'spentSeconds' | 'release'> = { status: '' };
  const redact = (text: string): string => clients.redactor.redact(text);
  scope.doing(() => ({ spentSeconds: deadline.spent(), release: step.name, ...waiting }));

  const proof = await waitForRelease(clients, {
    release: { namespace: step.namespace, name: step.name },
    job: step.job,
    readsVault: awaited.secrets.some(({ delivery }) => delivery === 'login'),
    ...probeOf(clients.environment, awaited, findRelease(clients.catalog, step.name)),
    deadline,
    signal: scope.signal,
    onStatus: (status, cause) => {
      waiting = { status: redact(status), ...(cause === '' ? {} : { cause: redact(cause) }) };
    },
  });
  await markVerified(clients.kubernetes, step.namespace, step.name, scope.signal);
  return { seconds: Math.round(deadline.spent() * 1000) / 1000, proof };
}

/**
 * What is asked of a release once its workloads are healthy: a service's health check goes to its main release alone.
 */
export function probeOf(
  environment: ChartChoice,
  service: Service,
  release: Release,
): Pick<WaitInput, 'probe' | 'answersOnly'> {
  const health = release.position === 'main' ? healthOf(environment, service) : undefined;
  if (health === undefined || health.kind === 'job') return { probe: undefined, answersOnly: false };
  const opensLater = health.kind === 'vault' && service.after.some((step) => step.kind === 'vault-init');
  return { probe: health, answersOnly: opensLater };
}
