/** Which fields of a release are left to others at this moment: found before it is applied. */
import type { Clients } from '../../clients/index.ts';
import {
  type JsonPatchOperation,
  type KubernetesClient,
  KubernetesError,
  type KubernetesObject,
  pathOfKind,
  paths,
  releaseOf,
  WATCHED_KINDS,
  type WatchedKind,
} from '../../clients/kubernetes/index.ts';
import type { Environment } from '../../environment/schema.ts';
import { withoutClaims } from '../../plan/fields/claims.ts';
import { autoscaledFields, leasedFields, type LeftField } from '../../plan/fields/left.ts';
import { HELM_MANAGER } from '../../plan/fields/managed.ts';
import { fitsPattern } from '../../plan/fields/path.ts';
import type { Release } from '../release/recover.ts';

/** The list is cached per operation, and for this long at most. */
const KEPT_MILLISECONDS = 60_000;
const lists = new WeakMap<KubernetesClient, { of: string; at: number; found: Promise<LeftField[]> }>();

/** Of all autoscalers in the cluster. Where nobody may look, or there is no such kind, nothing is theirs. */
export async function listAutoscaled(
  kubernetes: Pick<KubernetesClient, 'list'>,
  signal?: AbortSignal,
): Promise<LeftField[]> {
  try {
    return autoscaledFields((await kubernetes.list(paths.horizontalPodAutoscalers, {}, signal)).items);
  } catch (error) {
    if (error instanceof KubernetesError && [403, 404].includes(error.status)) return [];
    throw error;
  }
}

/** One list for a whole operation. */
async function autoscaledIn(kubernetes: KubernetesClient, runId: string): Promise<LeftField[]> {
  const known = lists.get(kubernetes);
  if (known?.of === runId && performance.now() - known.at < KEPT_MILLISECONDS) return known.found;
  // Without the signal of whoever asks first: others wait for it too.
  const found = listAutoscaled(kubernetes);
  lists.set(kubernetes, { of: runId, at: performance.now(), found });
  found.catch(() => lists.delete(kubernetes));
  return found;
}

export interface LeftObject {
  /** Of the API. */
  path: string;
  object: KubernetesObject;
  left: LeftField[];
}

/** Objects of the release that are there and have such fields. Asks for nothing where the namespace has none. */
export async function leftIn(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  environment: Pick<Environment, 'fields'>,
  runId: string,
  release: Release,
  signal: AbortSignal,
): Promise<LeftObject[]> {
  const all = [...leasedFields(environment.fields), ...(await autoscaledIn(kubernetes, runId))];
  const near = all.filter(
    ({ namespace, kind, name }) =>
      (namespace === undefined || namespace === release.namespace) &&
      (!isWatched(kind) ||
        kubernetes.watches.of(kind, release.namespace, release.name).some(({ metadata }) => metadata.name === name)),
  );
  if (near.length === 0) return [];
  const { kinds } = await kubernetes.kinds(signal);
  const found = await Promise.all(
    [...Map.groupBy(near, ({ kind, name }) => `${kind} ${name}`).values()].map(async (left) => {
      // Definitions of somebody may bear the name of one of Kubernetes' own kinds: whose object it is decides.
      const paths = kinds
        .filter(({ kind, verbs }) => kind === left[0]?.kind && verbs.includes('patch'))
        .map((kind) => `${pathOfKind(kind, kind.namespaced ? release.namespace : undefined)}/${left[0]?.name ?? ''}`);
      const objects = await Promise.all(
        paths.map(async (path) => ({ path, left, object: await kubernetes.get(path, signal) })),
      );
      return objects.flatMap(({ object, ...rest }): LeftObject[] =>
        object === undefined || releaseOf(object) !== release.name ? [] : [{ ...rest, object }],
      );
    }),
  );
  return found.flat();
}

function isWatched(kind: string): kind is WatchedKind {
  return (WATCHED_KINDS as readonly string[]).includes(kind);
}

const ATTEMPTS = 5;

/**
 * Helm gives up its claim to what is left: a field that it claims and no longer applies would go back to its default,
 * in the middle of somebody else's work.
 */
export async function handOver(
  kubernetes: Pick<KubernetesClient, 'get' | 'patch'>,
  { path, object, left }: LeftObject,
  signal: AbortSignal,
): Promise<void> {
  await withdrawClaims(kubernetes, path, object, signal, (live) =>
    withoutClaims(
      live,
      (claim) =>
        claim.manager === HELM_MANAGER &&
        claim.operation === 'Apply' &&
        left.some(({ field }) => fitsPattern(field, claim.path)),
    ),
  );
}

/** Changes nothing of the object but who claims what. */
export async function withdrawClaims(
  kubernetes: Pick<KubernetesClient, 'get' | 'patch'>,
  path: string,
  object: KubernetesObject | undefined,
  signal: AbortSignal,
  operationsOf: (live: KubernetesObject) => readonly JsonPatchOperation[],
): Promise<void> {
  let live = object;
  for (let attempt = 1; live !== undefined; attempt += 1) {
    const operations = operationsOf(live);
    if (operations.length === 0) return;
    try {
      await kubernetes.patch(
        path,
        [{ op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion }, ...operations],
        signal,
      );
      return;
    } catch (error) {
      // Somebody has changed the object meanwhile: it is looked at again.
      if (!(error instanceof KubernetesError) || ![409, 422].includes(error.status) || attempt >= ATTEMPTS) throw error;
      live = await kubernetes.get(path, signal);
    }
  }
}
