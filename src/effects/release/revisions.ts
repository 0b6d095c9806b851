/** Helm's own record of a release, read from the labels of its Secrets; what the Secrets hold is never touched. */
import type { KubernetesClient, KubernetesObject } from '../../clients/kubernetes/index.ts';
import { managersOf, paths } from '../../clients/kubernetes/index.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { managedEntries } from '../../plan/fields/managed.ts';
import type { ObservedRelease, ReleaseStatus } from '../../plan/observed.ts';
import { releaseKey } from '../../plan/observed.ts';
import { isVerified, isWrittenByHelm } from '../../plan/ownership/provenance.ts';

export interface Revision extends ObservedRelease {
  /** Of the release. */
  name: string;
  /** Of the Secret. */
  secret: { name: string; namespace: string; uid: string; resourceVersion: string };
  /** Seconds since the epoch: when Helm last wrote it. */
  writtenAt: number;
  /** Field manager that wrote its content last, as the API server saw it; `unknown` where it keeps no such record. */
  manager: string;
  /** ISO 8601: when the API server first saw the Secret. */
  created?: string;
}

const STATUSES: readonly string[] = [
  'deployed',
  'failed',
  'superseded',
  'uninstalled',
  'uninstalling',
  'pending-install',
  'pending-upgrade',
  'pending-rollback',
];
/** Labels of Helm itself; all others are given by whoever calls it. */
const HELMS_OWN = ['name', 'owner', 'status', 'version', 'createdAt', 'modifiedAt'];

/** Newest revision of every release in the cluster, by `<namespace>/<release>`. One request. */
export async function allNewestRevisions(
  kubernetes: KubernetesClient,
  signal?: AbortSignal,
): Promise<Map<string, Revision>> {
  const { items } = await kubernetes.list(paths.secrets(), { labelSelector: 'owner=helm', metadataOnly: true }, signal);
  return newestOf(items);
}

/** Every revision that Helm keeps of every release in the cluster, by `<namespace>/<release>`. One request. */
export async function allRevisions(
  kubernetes: Pick<KubernetesClient, 'list'>,
  signal?: AbortSignal,
): Promise<Map<string, Revision[]>> {
  const { items } = await kubernetes.list(paths.secrets(), { labelSelector: 'owner=helm', metadataOnly: true }, signal);
  const all = new Map<string, Revision[]>();
  for (const secret of items) {
    const revision = revisionOf(secret);
    const name = secret.metadata.labels?.['name'];
    if (!revision || name === undefined) continue;
    const key = releaseKey(revision.secret.namespace, name);
    all.set(key, [...(all.get(key) ?? []), revision]);
  }
  return all;
}

/** The newest revision of each. */
export function newestOfEach(revisions: ReadonlyMap<string, readonly Revision[]>): Map<string, Revision> {
  return new Map(
    [...revisions].flatMap(([key, all]) => {
      const newest = all.reduce<Revision | undefined>(
        (best, one) => (best && best.revision > one.revision ? best : one),
        undefined,
      );
      return newest === undefined ? [] : [[key, newest] as const];
    }),
  );
}

/** @returns undefined when Helm knows no such release */
export async function newestRevision(
  kubernetes: KubernetesClient,
  namespace: string,
  release: string,
  signal?: AbortSignal,
): Promise<Revision | undefined> {
  const { items } = await kubernetes.list(
    paths.secrets(namespace),
    { labelSelector: `owner=helm,name=${release}`, metadataOnly: true },
    signal,
  );
  return newestOf(items).get(releaseKey(namespace, release));
}

/** All revisions of a release that Helm still has, oldest first. */
export async function revisionsOf(
  kubernetes: KubernetesClient,
  namespace: string,
  release: string,
  signal?: AbortSignal,
): Promise<Revision[]> {
  const { items } = await kubernetes.list(
    paths.secrets(namespace),
    { labelSelector: `owner=helm,name=${release}`, metadataOnly: true },
    signal,
  );
  return items.flatMap((secret) => revisionOf(secret) ?? []).sort((a, b) => a.revision - b.revision);
}

/** Keeps in the cluster that the revision was seen healthy, so that a plan may skip it. */
export async function markVerified(
  kubernetes: KubernetesClient,
  namespace: string,
  release: string,
  signal?: AbortSignal,
): Promise<void> {
  const newest = await newestRevision(kubernetes, namespace, release, signal);
  if (!newest || newest.status !== 'deployed' || isVerified(newest)) return;
  await kubernetes.label(
    paths.secret(newest.secret.namespace, newest.secret.name),
    { [RELEASE_LABELS.proven]: String(newest.revision) },
    signal,
  );
}

function newestOf(secrets: readonly KubernetesObject[]): Map<string, Revision> {
  const newest = new Map<string, Revision>();
  for (const secret of secrets) {
    const revision = revisionOf(secret);
    const name = secret.metadata.labels?.['name'];
    if (!revision || name === undefined) continue;
    const key = releaseKey(revision.secret.namespace, name);
    if ((newest.get(key)?.revision ?? 0) < revision.revision) newest.set(key, revision);
  }
  return newest;
}

function revisionOf({ metadata }: KubernetesObject): Revision | undefined {
  const labels = metadata.labels ?? {};
  const number = Number(labels['version']);
  if (!Number.isInteger(number)) return undefined;
  const status = labels['status'] ?? '';
  const { manager, time } = writerOf({ metadata });
  return {
    name: labels['name'] ?? '',
    revision: number,
    status: (STATUSES.includes(status) ? status : 'unknown') as ReleaseStatus,
    labels: Object.fromEntries(Object.entries(labels).filter(([name]) => !HELMS_OWN.includes(name))),
    secret: {
      name: metadata.name,
      namespace: metadata.namespace ?? '',
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
    },
    writtenAt:
      // Helm hands its own label `modifiedAt` on to the next revision, too.
      Date.parse(time ?? '') / 1000 ||
      Number(labels['modifiedAt'] ?? labels['createdAt'] ?? 0) ||
      Date.parse(metadata.creationTimestamp ?? '') / 1000 ||
      0,
    manager,
    ...(metadata.creationTimestamp ? { created: metadata.creationTimestamp } : {}),
  };
}

/** Who wrote what it holds: labels are written by others, too. Somebody who has edited it counts before Helm. */
function writerOf(secret: Pick<KubernetesObject, 'metadata'>): { manager: string; time?: string | null | undefined } {
  const writers = managedEntries(secret).filter(({ fieldsV1 }) => fieldsV1?.['f:data'] !== undefined);
  const [first] = managersOf(secret);
  return writers.find(({ manager }) => !isWrittenByHelm(manager)) ?? writers[0] ?? first ?? { manager: 'unknown' };
}
