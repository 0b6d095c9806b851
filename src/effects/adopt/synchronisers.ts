/** Who applies by itself what is to be taken over, as the cluster says it. Changes nothing. */
import type { Clients } from '../../clients/index.ts';
import { isNotFound, KubernetesError, type KubernetesObject } from '../../clients/kubernetes/index.ts';
import type { AdoptedRelease } from '../../contract/operations/adopt.ts';
import { PlanRefusedError } from '../../plan/charts/source.ts';
import { type Covered, SYNCHRONISERS, synchroniserLines, synchronisersOf } from '../../plan/adoption/synchronisers.ts';

const FORBIDDEN = 403;
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/**
 * What applies by itself would bring back what a deployment changes, and a deployment what it changes.
 * @param more `looked`: somebody with more rights has looked before, so what may not be listed stands against nothing
 * @throws PlanRefusedError that says who has to stop, and how they are told
 */
export async function requireNoSynchronisers(
  clients: Pick<Clients, 'kubernetes'>,
  releases: readonly AdoptedRelease[],
  signal: AbortSignal,
  { looked = false }: { looked?: boolean } = {},
): Promise<void> {
  const found = await Promise.all(
    SYNCHRONISERS.map(async ({ kind, paths }) => ({ kind, items: await listed(clients, kind, paths, looked, signal) })),
  );
  const synchronisers = synchronisersOf(found, releases.map(coveredOf));
  if (synchronisers.length > 0)
    throw new PlanRefusedError(
      [
        'It is applied by somebody else, by itself, who has to stop first. Nothing was changed. In this order:',
        ...synchroniserLines(synchronisers),
      ].join('\n'),
    );
}

function coveredOf({ namespace, name, objects }: AdoptedRelease): Covered {
  return {
    release: `${namespace}/${name}`,
    objects: objects.map((object) => object.replace(' ', ` ${namespace}/`)),
  };
}

/** @throws PlanRefusedError where that may not be read: nobody could say who applies what */
async function listed(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  kind: string,
  paths: readonly string[],
  looked: boolean,
  signal: AbortSignal,
): Promise<readonly KubernetesObject[]> {
  // Where RBAC is narrow, what is not there may not be listed either; definitions may be read.
  const [, , group = '', , plural = ''] = paths[0]?.split('/') ?? [];
  if ((await kubernetes.get(`${DEFINITIONS}/${plural}.${group}`, signal)) === undefined) return [];
  for (const path of paths) {
    try {
      const { items } = await kubernetes.list(path, {}, signal);
      return items;
    } catch (error) {
      const forbidden = error instanceof KubernetesError && error.status === FORBIDDEN;
      if (forbidden && looked) return [];
      if (forbidden)
        throw new PlanRefusedError(
          `Who applies it by itself cannot be told: ${kind} objects may not be listed (${error.message}). Nothing was changed.`,
        );
      if (!isNotFound(error)) throw error;
    }
  }
  return [];
}
