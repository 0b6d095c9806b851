/** The owner record in the cluster: read, written once by whoever is first, changed only on top of what was read. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isForbidden, type KubernetesClient, KubernetesError, paths } from '../../clients/kubernetes/index.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, OWNER_LABEL, RECORDS_NAMESPACE, RELEASE_LABELS } from '../../contract/names.ts';
import { type ClusterOwner, clusterOwnerSchema, OWNER_RECORD } from '../../contract/owner.ts';
import { releaseKey } from '../../plan/observed.ts';
import { OwnerMismatchError } from '../../plan/ownership/ownership.ts';
import { ensureRecordsNamespace } from '../records/namespace.ts';

export type OwnerKeeper = Pick<KubernetesClient, 'get' | 'list' | 'apply' | 'create' | 'replace'>;

export interface StoredOwner {
  /** Absent: the record is damaged. */
  owner?: ClusterOwner;
  resourceVersion: string;
}

const PATH = paths.configMap(RECORDS_NAMESPACE, OWNER_RECORD.name);
const PLACE = `ConfigMap ${RECORDS_NAMESPACE}/${OWNER_RECORD.name}`;
const storedSchema = z.looseObject({ data: z.record(z.string(), z.string()).nullish() });
const TERMINATING_PATIENCE_MILLISECONDS = 30_000;
const LOOK_MILLISECONDS = 500;

/** @returns undefined where nobody has claimed the cluster yet */
export async function readOwner(
  kubernetes: Pick<KubernetesClient, 'get'>,
  signal?: AbortSignal,
): Promise<StoredOwner | undefined> {
  const found = await kubernetes.get(PATH, signal);
  if (!found) return undefined;
  const { resourceVersion } = found.metadata;
  try {
    const text = storedSchema.parse(found).data?.[OWNER_RECORD.key];
    return { owner: clusterOwnerSchema.parse(JSON.parse(text ?? '')), resourceVersion };
  } catch {
    return { resourceVersion };
  }
}

/** @throws OwnerMismatchError where the record cannot be read: then it is not known whose cluster it is */
export function readableOwner({ owner }: StoredOwner): ClusterOwner {
  if (owner) return owner;
  throw new OwnerMismatchError(
    `The owner record of this cluster (${PLACE}) is damaged: nobody can tell whose it is.`,
    'take-over',
  );
}

/**
 * The first one wins: an object that is there already is never written over.
 * @returns whether it was made; false: somebody else was faster
 */
export async function createOwner(
  kubernetes: OwnerKeeper,
  owner: ClusterOwner,
  signal?: AbortSignal,
): Promise<boolean> {
  for (const until = Date.now() + TERMINATING_PATIENCE_MILLISECONDS; ; ) {
    try {
      await ensureRecordsNamespace(kubernetes, signal);
      await kubernetes.create(paths.configMaps(RECORDS_NAMESPACE), objectOf(owner), signal);
      return true;
    } catch (error) {
      if (!(error instanceof KubernetesError)) throw error;
      if (error.reason === 'AlreadyExists') return false;
      // A destruction has deleted the namespace a moment ago, and the cluster is still at it.
      const passing = error.status === 404 || /being terminated/.test(error.message);
      if (!passing || Date.now() > until) throw error;
      await sleep(LOOK_MILLISECONDS, undefined, signal ? { signal } : {});
    }
  }
}

/** @throws KubernetesError 409 when the record is no longer the one that was read */
export async function replaceOwner(
  kubernetes: Pick<KubernetesClient, 'replace'>,
  owner: ClusterOwner,
  resourceVersion: string,
  signal?: AbortSignal,
): Promise<void> {
  await kubernetes.replace(PATH, objectOf(owner, resourceVersion), signal);
}

/** With what the identity in use may see; the labels of Helm's records, never what they hold. */
export async function labelledEnvironments(
  kubernetes: Pick<KubernetesClient, 'list'>,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const labelled = new Map<string, string>();
  try {
    const { items } = await kubernetes.list(
      paths.secrets(),
      { labelSelector: `owner=helm,${RELEASE_LABELS.environment}`, metadataOnly: true },
      signal,
    );
    for (const { metadata } of items) {
      const environment = metadata.labels?.[RELEASE_LABELS.environment];
      const release = metadata.labels?.['name'];
      if (environment === undefined || release === undefined || metadata.labels?.['owner'] !== 'helm') continue;
      labelled.set(environment, releaseKey(metadata.namespace ?? '', release));
    }
  } catch (error) {
    if (!isForbidden(error)) throw error;
  }
  return labelled;
}

function objectOf(owner: ClusterOwner, resourceVersion?: string): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: OWNER_RECORD.name,
      namespace: RECORDS_NAMESPACE,
      labels: { [MANAGED_BY_LABEL]: MANAGED_BY, [OWNER_LABEL]: owner.environment },
      annotations: { 'ananta.dev/purpose': 'Whose cluster this is: docs/understand/ownership.md' },
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    data: { [OWNER_RECORD.key]: JSON.stringify(owner) },
  };
}
