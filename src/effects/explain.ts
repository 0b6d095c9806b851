/** Why a service is as it is, now; for `ananta explain`. Works without the engine and without a worker; reads only. */
import type { Service } from '../catalog/schema.ts';
import type { Clients } from '../clients/index.ts';
import { isForbidden, paths } from '../clients/kubernetes/index.ts';
import type { Explanation, ReleaseExplanation } from '../plan/explain/explanation.ts';
import { podRow } from '../plan/explain/pods.ts';
import { tightQuota } from '../plan/explain/quotas.ts';
import { persistentVolumeClaimHealth, podTrouble, workloadHealth } from '../plan/health/index.ts';
import { releasesOf } from '../plan/releases.ts';
import { neighboursOf } from './evidence/index.ts';
import { gather } from './evidence/sections.ts';
import { newestRevision } from './release/revisions.ts';
import { registerAllSecrets } from './vault/register-all.ts';
import { verifyService } from './verify.ts';

type Explaining = Pick<Clients, 'environment' | 'catalog' | 'kubernetes' | 'vault' | 'redactor'>;

/** What the cluster knows of it. */
export interface ServiceExplanation extends Omit<Explanation, 'operation' | 'engineProblem'> {
  /** False: Vault is not open, so logs and events are cleaned by what looks like a secret alone. */
  cleaned: boolean;
}

const LOG_LINES = 12;
const MOST_WARNINGS = 6;

/** @throws when the cluster cannot be reached at all; what a right is missing for is left out */
export async function explainService(
  clients: Explaining,
  service: Service,
  { signal = new AbortController().signal }: { signal?: AbortSignal } = {},
): Promise<ServiceExplanation> {
  const { kubernetes, catalog, redactor } = clients;
  await kubernetes.watches.synced(signal);
  // Logs and events may hold anything: the values of the platform have to be known before they are shown.
  const cleaned = await registerAllSecrets(clients, signal);
  const dependencies = catalog.services.filter(({ name }) => service.dependsOn.includes(name));
  const parts = releasesOf(service).filter(({ kind }) => kind === 'release');
  const [own, others, releases] = await Promise.all([
    verifyService(clients, service, signal),
    Promise.all(dependencies.map((dependency) => verifyService(clients, dependency, signal))),
    Promise.all(parts.map(({ name, namespace }) => explainRelease(clients, { name, namespace }, signal))),
  ]);
  return {
    service: service.name,
    namespace: service.namespace,
    healthy: own.healthy,
    text: redactor.redactForeign(own.healthy ? own.proof : own.reason),
    dependsOn: others.map(({ service: name, healthy, proof, reason }) => ({
      service: name,
      healthy,
      text: redactor.redactForeign(healthy ? proof : reason),
    })),
    dependents: catalog.services.filter(({ dependsOn }) => dependsOn.includes(service.name)).map(({ name }) => name),
    quotas: own.healthy
      ? []
      : await tightQuotas(clients, [...new Set(parts.map(({ namespace }) => namespace))], signal),
    releases,
    cleaned,
  };
}

async function tightQuotas(
  { kubernetes }: Pick<Explaining, 'kubernetes'>,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const found = await Promise.all(
    namespaces.map(async (namespace) => {
      const { items } = await kubernetes.list(paths.resourceQuotas(namespace), {}, signal);
      return items.flatMap((quota) => tightQuota(quota, namespace) ?? []);
    }),
  ).catch((error: unknown) => {
    if (isForbidden(error)) return [];
    throw error;
  });
  return found.flat();
}

async function explainRelease(
  { kubernetes, catalog, redactor }: Explaining,
  release: { name: string; namespace: string },
  signal: AbortSignal,
): Promise<ReleaseExplanation> {
  const [revision, found] = await Promise.all([
    newestRevision(kubernetes, release.namespace, release.name, signal),
    gather(kubernetes, release, neighboursOf({ catalog }, release), signal),
  ]);
  const clean = (text: string): string => redactor.redactForeign(text);
  const inTrouble = new Set(
    found.pods.filter((pod) => podTrouble(pod) !== undefined).map(({ metadata }) => metadata.name),
  );
  return {
    ...release,
    ...(revision
      ? {
          helm: {
            revision: revision.revision,
            status: revision.status,
            writtenAt: new Date(revision.writtenAt * 1000).toISOString(),
            manager: revision.manager,
          },
        }
      : {}),
    workloads: found.workloads.map((workload) => {
      const { status, message } = workloadHealth(workload);
      return { name: `${workload.kind} ${workload.name}`, status, message: clean(message) };
    }),
    pods: found.pods.map((pod) => {
      const row = podRow(pod);
      return row.message === undefined ? row : { ...row, message: clean(row.message) };
    }),
    claims: kubernetes.watches.of('PersistentVolumeClaim', release.namespace, release.name).flatMap((claim) => {
      const health = persistentVolumeClaimHealth(claim);
      return health.status === 'healthy' ? [] : [health.message];
    }),
    // A warning about a pod that is ready by now is out of date.
    warnings: found.events
      .filter(
        ({ warning, object }) => warning && (!object.startsWith('Pod ') || inTrouble.has(object.slice('Pod '.length))),
      )
      .reverse()
      .slice(0, MOST_WARNINGS)
      .map(({ at, object, reason, message, count }) => ({ at, object, reason, message: clean(message), times: count })),
    logs: found.logs.map(({ pod, container, previous, text }) => ({
      pod,
      container,
      previous,
      lines: clean(text).split('\n').slice(-LOG_LINES),
    })),
  };
}
