/**
 * Live objects by kind, in one request each; what may not be read, or does not answer, is distinguished from what is
 * not there.
 */
import {
  type Kind,
  type KubernetesClient,
  KubernetesError,
  type KubernetesObject,
  pathOfKind,
  UnreachableError,
} from '../../clients/kubernetes/index.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import { digestOf } from '../../plan/digest.ts';

export interface Listing {
  objects: KubernetesObject[];
  /** Why some or all of them could not be seen. */
  unseen: DriftFinding[];
  /** Namespaces that could not be seen; `*`: none could. */
  blind: ReadonlySet<string>;
}

/**
 * All objects of a kind in the cluster; where that is not allowed, those of the platform's namespaces, one by one.
 * @throws the signal's reason
 */
export async function listKind(
  kubernetes: Pick<KubernetesClient, 'list'>,
  kind: Kind,
  namespaces: readonly string[],
  { metadataOnly }: { metadataOnly: boolean },
  signal: AbortSignal,
): Promise<Listing> {
  try {
    return {
      objects: (await kubernetes.list(pathOfKind(kind), { metadataOnly }, signal)).items,
      unseen: [],
      blind: new Set(),
    };
  } catch (error) {
    const why = notSeen(error, signal);
    if (!kind.namespaced || !(error instanceof KubernetesError && error.status === 403))
      return { objects: [], unseen: [notObservable(kind.kind, undefined, why)], blind: new Set(['*']) };
  }
  const each = await Promise.all(
    namespaces.map(async (namespace) => {
      try {
        return {
          namespace,
          items: (await kubernetes.list(pathOfKind(kind, namespace), { metadataOnly }, signal)).items,
        };
      } catch (error) {
        return { namespace, items: [], why: notSeen(error, signal) };
      }
    }),
  );
  const blind = each.filter(({ why }) => why !== undefined);
  const unseen =
    blind.length === namespaces.length
      ? [notObservable(kind.kind, undefined, blind[0]?.why ?? '')]
      : blind.map(({ namespace, why }) => notObservable(kind.kind, namespace, why ?? ''));
  return {
    objects: each.flatMap(({ items }) => items),
    unseen,
    blind: new Set(blind.map(({ namespace }) => namespace)),
  };
}

/** @returns why nothing was seen @throws what is neither a refusal nor silence */
export function notSeen(error: unknown, signal: AbortSignal): string {
  signal.throwIfAborted();
  if (error instanceof KubernetesError && (error.status === 403 || error.status === 401))
    return `no right to look: ${error.message}`;
  if (error instanceof KubernetesError || error instanceof UnreachableError) return `no answer: ${error.message}`;
  throw error;
}

export function notObservable(what: string, namespace: string | undefined, why: string): DriftFinding {
  return {
    key: `kubernetes/${what}${namespace === undefined ? '' : `/${namespace}`}#seen`,
    kind: 'not-observable',
    area: 'kubernetes',
    object: `${what}${namespace === undefined ? '' : ` in ${namespace}`}`,
    is: why.slice(0, 200),
    valueDigest: digestOf(what),
    note: 'neither clean nor drifted, and not repaired: grant the right to read it, or see why it does not answer',
  };
}
