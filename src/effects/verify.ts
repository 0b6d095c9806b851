/** Every service's health check, now; for `ananta verify`. Works without the engine and without a worker. */
import PQueue from 'p-queue';
import type { Clients } from '../clients/index.ts';
import type { Service } from '../catalog/schema.ts';
import { VAULT } from '../contract/names.ts';
import { frozenImage, isFrozenImage } from '../plan/images/frozen.ts';
import { imagesOf } from '../plan/images/images.ts';
import { findRelease } from '../plan/releases.ts';
import { isScaledToZero, releaseHealth, SCALED_TO_ZERO } from '../plan/health/index.ts';
import { replicasOf } from '../plan/inputs/values.ts';
import { probeOf } from './wait/healthy.ts';
import { knownWorkloads, podsOf, readyPods } from './observe/workloads.ts';
import { troublesOf } from './observe/troubles.ts';
import { probeOpenVault, probePods } from './probe/index.ts';

export interface Verification {
  number: number;
  phase: number;
  service: string;
  namespace: string;
  healthy: boolean;
  /** What proved it; empty when it is not healthy. */
  proof: string;
  /** Why it is not healthy. */
  reason: string;
  /** What works, but not for long. */
  warnings: string[];
}

const AT_ONCE = 8;

/**
 * Rows in the order of the catalog.
 * @param onResult called for each service as it is known
 * @throws when the cluster cannot be reached at all
 */
export async function verifyAll(
  clients: Pick<Clients, 'environment' | 'catalog' | 'kubernetes' | 'vault' | 'redactor'>,
  {
    signal = new AbortController().signal,
    onResult,
  }: { signal?: AbortSignal; onResult?: (row: Verification) => void } = {},
): Promise<Verification[]> {
  await clients.kubernetes.watches.synced(signal);
  const queue = new PQueue({ concurrency: AT_ONCE });
  const rows = await Promise.all(
    clients.catalog.services.map((service) =>
      queue.add(async () => {
        const row = await verifyService(clients, service, signal);
        onResult?.(row);
        return row;
      }),
    ),
  );
  return rows;
}

/** Of one; the watches have to be synced. */
export async function verifyService(
  clients: Pick<Clients, 'environment' | 'catalog' | 'kubernetes' | 'vault' | 'redactor'>,
  service: Service,
  signal: AbortSignal,
): Promise<Verification> {
  const { healthy, text, images } = await verify(clients, service, signal);
  const clean = clients.redactor.redact(text);
  return {
    number: service.number,
    phase: service.phase,
    service: service.name,
    namespace: service.namespace,
    healthy,
    proof: healthy ? clean : '',
    reason: healthy ? '' : clean,
    warnings: images.filter(isFrozenImage).map((image) => frozenImage(service.name, image).warning),
  };
}

async function verify(
  clients: Pick<Clients, 'environment' | 'catalog' | 'kubernetes' | 'vault'>,
  service: Service,
  signal: AbortSignal,
): Promise<{ healthy: boolean; text: string; images: string[] }> {
  const { kubernetes } = clients;
  const release = { namespace: service.namespace, name: service.name };
  const workloads = knownWorkloads(kubernetes.watches, release);
  const elsewhere = service.name === VAULT.service && clients.environment.vault.external !== undefined;
  if (workloads.length === 0 && !elsewhere)
    return { healthy: false, text: 'it has no workload: not deployed', images: [] };
  const health = releaseHealth(workloads);
  // Of what is there, not of what the values say: somebody may have put another image in.
  const images = imagesOf(workloads.map(({ object }) => object));
  const pods = await podsOf(kubernetes, release, workloads, signal);
  if (health.status !== 'healthy')
    return { healthy: false, text: [health.message, ...troublesOf(kubernetes, release, pods)].join('; '), images };
  if (isScaledToZero(workloads)) {
    const wanted = replicasOf(clients.environment, service);
    if (wanted === 0) return { healthy: true, text: SCALED_TO_ZERO, images };
    return { healthy: false, text: `somebody has scaled it to zero; the environment wants ${wanted}`, images };
  }
  const { probe } = probeOf(clients.environment, service, findRelease(clients.catalog, service.name));
  if (probe === undefined) return { healthy: true, text: health.message, images };
  if (probe.kind === 'vault') {
    const { ok, text } = await probeOpenVault(clients, signal);
    return { healthy: ok, text, images };
  }
  const targets = readyPods(pods, 'port' in probe ? probe.port : undefined).map((pod) => ({
    namespace: release.namespace,
    release: release.name,
    pod: pod.metadata.name,
  }));
  const { ok, text } = await probePods(clients, targets, probe, signal);
  return { healthy: ok, text, images };
}
