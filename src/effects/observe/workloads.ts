/** Workloads of a release and their pods: from the watches at no cost, or straight from the API server. */
import { z } from 'zod';
import {
  type KubernetesClient,
  type KubernetesObject,
  later,
  paths,
  releaseOf,
  type Watches,
} from '../../clients/kubernetes/index.ts';
import { isPodReady, type Workload, WORKLOAD_KINDS, type WorkloadKind } from '../../plan/health/index.ts';
import type { Release } from '../release/recover.ts';

export interface LiveWorkload extends Workload {
  object: KubernetesObject;
}

const PATH_OF: Record<WorkloadKind, (namespace: string) => string> = {
  Deployment: paths.deployments,
  StatefulSet: paths.statefulSets,
  DaemonSet: paths.daemonSets,
  Job: paths.jobs,
};

/** As the watches know them. */
export function knownWorkloads(watches: Watches, { namespace, name }: Release): LiveWorkload[] {
  return WORKLOAD_KINDS.flatMap((kind) => watches.of(kind, namespace, name).map((object) => asWorkload(kind, object)));
}

/** As the API server has them now. */
export async function readWorkloads(
  kubernetes: Pick<KubernetesClient, 'list'>,
  release: Release,
  signal?: AbortSignal,
): Promise<LiveWorkload[]> {
  const labelled = await listWorkloads(kubernetes, release, `app.kubernetes.io/instance=${release.name}`, signal);
  // Some charts set no instance label; Helm's own mark is on everything, but is not a label one can ask for.
  return labelled.length > 0
    ? labelled
    : listWorkloads(kubernetes, release, 'app.kubernetes.io/managed-by=Helm', signal);
}

async function listWorkloads(
  kubernetes: Pick<KubernetesClient, 'list'>,
  release: Release,
  labelSelector: string,
  signal?: AbortSignal,
): Promise<LiveWorkload[]> {
  const lists = await Promise.all(
    WORKLOAD_KINDS.map(async (kind) => ({
      kind,
      list: await kubernetes.list(PATH_OF[kind](release.namespace), { labelSelector }, signal),
    })),
  );
  return lists.flatMap(({ kind, list }) =>
    list.items.filter((object) => releaseOf(object) === release.name).map((object) => asWorkload(kind, object)),
  );
}

/**
 * What counts for a health wait: the objects that were there after the apply, each in its latest known state. A state
 * that a watch delivered earlier, of an older object of the same name, does not count.
 */
export function freshest(read: readonly LiveWorkload[], known: readonly LiveWorkload[]): LiveWorkload[] {
  return read.map((workload) => {
    const same = known.find(
      (other) => other.kind === workload.kind && other.object.metadata.uid === workload.object.metadata.uid,
    );
    return same ? { ...workload, object: later(workload.object, same.object) } : workload;
  });
}

const selectorSchema = z.object({
  spec: z
    .object({ selector: z.object({ matchLabels: z.record(z.string(), z.string()).nullish() }).nullish() })
    .prefault({}),
});

/** Pods of a release: by the watches where they carry the release's name, else by the selectors of its workloads. */
export async function podsOf(
  kubernetes: KubernetesClient,
  release: Release,
  workloads: readonly LiveWorkload[],
  signal?: AbortSignal,
): Promise<KubernetesObject[]> {
  const known = kubernetes.watches.of('Pod', release.namespace, release.name);
  return known.length > 0 ? known : readPods(kubernetes, release, workloads, signal);
}

/** Straight from the API server. */
export async function readPods(
  kubernetes: Pick<KubernetesClient, 'list'>,
  { namespace, name }: Release,
  workloads: readonly Pick<LiveWorkload, 'object'>[],
  signal?: AbortSignal,
): Promise<KubernetesObject[]> {
  const selectors = workloads
    .map(({ object }) => selectorSchema.parse(object).spec.selector?.matchLabels)
    .filter((labels) => labels !== undefined && labels !== null);
  const asked = [
    ...new Set([
      `app.kubernetes.io/instance=${name}`,
      ...selectors.map((labels) =>
        Object.entries(labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(','),
      ),
    ]),
  ];
  const lists = await Promise.all(
    asked.map((labelSelector) => kubernetes.list(paths.pods(namespace), { labelSelector }, signal)),
  );
  return [...new Map(lists.flatMap(({ items }) => items).map((pod) => [pod.metadata.name, pod])).values()];
}

const portsSchema = z.object({
  spec: z
    .object({
      containers: z.array(z.object({ ports: z.array(z.object({ containerPort: z.number() })).nullish() })).default([]),
    })
    .prefault({}),
});

/** Ready pods, those that declare the port first. */
export function readyPods(pods: readonly KubernetesObject[], port: number | undefined): KubernetesObject[] {
  const declares = (pod: KubernetesObject): boolean =>
    portsSchema
      .parse(pod)
      .spec.containers.some(({ ports }) => ports?.some(({ containerPort }) => containerPort === port));
  const ready = pods.filter(isPodReady).sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
  return [...ready.filter(declares), ...ready.filter((pod) => !declares(pod))];
}

function asWorkload(kind: WorkloadKind, object: KubernetesObject): LiveWorkload {
  return { kind, name: object.metadata.name, object };
}
