/**
 * Objects that Helm made for a release, found by Helm's own marks: for releases whose record is missing or does not
 * name the whole. What is to be kept (volumes, what is marked so) is never among them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  isForbidden,
  KubernetesError,
  type KubernetesClient,
  type KubernetesObject,
  type Kind,
  type Kinds,
  pathOfKind,
  paths,
  UnreachableError,
} from '../../clients/kubernetes/index.ts';
import { RESOURCE_POLICY } from '../../plan/inputs/helm-marks.ts';
import { releaseKey } from '../../plan/observed.ts';
import type { Owners } from '../../plan/ownership/foreign-object.ts';
import { isOfAnother } from '../../plan/ownership/owner-label.ts';
import type { Release } from './recover.ts';

export interface FoundObject {
  kind: Kind;
  /** Address of this very object. */
  path: string;
  /** Names, labels, annotations; nothing of what it holds. */
  object: KubernetesObject;
}

const HELMS_OWN = 'app.kubernetes.io/managed-by=Helm';
const RELEASE_NAME = 'meta.helm.sh/release-name';
const RELEASE_NAMESPACE = 'meta.helm.sh/release-namespace';
const AT_ONCE = 8;
/** Between two looks at a kind whose server does not answer, milliseconds. */
const PAUSES = [300, 1500];
type Unseen = (kind: Kind, why?: string) => void;
/** Kinds that the identity may not list are skipped: our releases cannot have created objects of them. */
const nothingOfOurs = (): void => undefined;

/** Kinds that can be listed and deleted; copies of the same objects in other groups are left out. */
export async function sweptKinds(kubernetes: Pick<KubernetesClient, 'kinds'>, signal?: AbortSignal): Promise<Kind[]> {
  return swept(await kubernetes.kinds(signal));
}

export function swept({ kinds }: Pick<Kinds, 'kinds'>): Kind[] {
  return kinds.filter(
    ({ group, plural, verbs }) =>
      verbs.includes('list') &&
      verbs.includes('delete') &&
      !(plural === 'events') &&
      !(group === '' && plural === 'endpoints') &&
      group !== 'discovery.k8s.io',
  );
}

/**
 * All objects of these kinds, metadata only.
 * @param namespace also what belongs to no namespace is listed; absent: everything
 * @param unseen called with kinds that could not be read: without `why` the identity may not, else nothing answers
 */
export async function listAll(
  kubernetes: Pick<KubernetesClient, 'list'>,
  kinds: readonly Kind[],
  { namespace, labelSelector, unseen }: { namespace?: string; labelSelector?: string; unseen: Unseen },
  signal?: AbortSignal,
): Promise<FoundObject[]> {
  const found: FoundObject[] = [];
  const queue = [...kinds];
  const work = async (): Promise<void> => {
    for (let kind = queue.shift(); kind !== undefined; kind = queue.shift()) {
      const items = await listKind(kubernetes, kind, { namespace, labelSelector, unseen }, signal);
      for (const object of items)
        found.push({ kind, path: `${pathOfKind(kind, object.metadata.namespace)}/${object.metadata.name}`, object });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}

async function listKind(
  kubernetes: Pick<KubernetesClient, 'list'>,
  kind: Kind,
  {
    namespace,
    labelSelector,
    unseen,
  }: { namespace: string | undefined; labelSelector: string | undefined; unseen: Unseen },
  signal?: AbortSignal,
): Promise<KubernetesObject[]> {
  const options = { metadataOnly: true, ...(labelSelector === undefined ? {} : { labelSelector }) };
  for (let attempt = 0; ; attempt += 1) {
    try {
      return (await kubernetes.list(pathOfKind(kind, namespace), options, signal)).items;
    } catch (error) {
      signal?.throwIfAborted();
      // Its definition has gone in between, or the server knows no listing of it after all.
      if (error instanceof KubernetesError && (error.status === 404 || error.status === 405)) return [];
      if (isForbidden(error)) {
        unseen(kind);
        return [];
      }
      if (!isSilence(error)) throw error;
      const pause = PAUSES[attempt];
      if (pause === undefined) {
        await assertServerAnswers(kubernetes, error, signal);
        unseen(kind, error.message);
        return [];
      }
      await sleep(pause, undefined, signal ? { signal } : {});
    }
  }
}

/** Too much to do, an error of its own, or nothing at all: of one kind's server, or of them all. */
function isSilence(error: unknown): error is Error {
  return (
    error instanceof UnreachableError ||
    (error instanceof KubernetesError && (error.status === 429 || error.status >= 500))
  );
}

/** @throws the error where it is the API server itself that does not answer: then nothing is known of any kind */
async function assertServerAnswers(
  kubernetes: Pick<KubernetesClient, 'list'>,
  error: Error,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await kubernetes.list(paths.namespaces, { metadataOnly: true, limit: 1 }, signal);
  } catch (other) {
    if (isSilence(other)) throw error;
  }
}

/** `<namespace>/<release>` that Helm marked an object with. */
export function helmReleaseOf({ metadata: { annotations } }: KubernetesObject): string | undefined {
  const name = annotations?.[RELEASE_NAME];
  const namespace = annotations?.[RELEASE_NAMESPACE];
  return name === undefined || namespace === undefined ? undefined : releaseKey(namespace, name);
}

/**
 * Whether Helm would keep it when its release is uninstalled, or has to: volumes, and definitions, which take all
 * objects of their kind along.
 */
export function isKept({ kind, object }: Pick<FoundObject, 'kind' | 'object'>): boolean {
  return (
    object.metadata.annotations?.[RESOURCE_POLICY] === 'keep' ||
    isClaim(kind) ||
    kind.plural === 'customresourcedefinitions'
  );
}

export function isClaim({ group, plural }: Pick<Kind, 'group' | 'plural'>): boolean {
  return group === '' && (plural === 'persistentvolumeclaims' || plural === 'persistentvolumes');
}

/**
 * By `<namespace>/<release>`: everything in the cluster that carries Helm's marks and goes with its release.
 * @param owners names of environments that may stand on it; an object with another one's is nobody's leftover here
 */
export async function markedByHelm(
  kubernetes: Pick<KubernetesClient, 'kinds' | 'list'>,
  [environment, ...formerly]: Owners,
  signal?: AbortSignal,
): Promise<Map<string, FoundObject[]>> {
  const all = await listAll(
    kubernetes,
    await sweptKinds(kubernetes, signal),
    { labelSelector: HELMS_OWN, unseen: nothingOfOurs },
    signal,
  );
  const marked = new Map<string, FoundObject[]>();
  for (const found of all) {
    const key = helmReleaseOf(found.object);
    if (key !== undefined && !isKept(found) && !isOfAnother(found.object.metadata.labels, environment, formerly))
      marked.set(key, [...(marked.get(key) ?? []), found]);
  }
  return marked;
}

/**
 * Deletes what carries the release's marks.
 * @param owners names of environments that may stand on it; an object with another one's stays
 * @returns `Kind name` of each, sorted
 */
export async function removeOrphans(
  kubernetes: KubernetesClient,
  { namespace, name }: Release,
  [environment, ...formerly]: Owners,
  signal: AbortSignal,
): Promise<string[]> {
  const all = await listAll(
    kubernetes,
    await sweptKinds(kubernetes, signal),
    { namespace, labelSelector: HELMS_OWN, unseen: nothingOfOurs },
    signal,
  );
  const own = all.filter(
    (found) =>
      helmReleaseOf(found.object) === releaseKey(namespace, name) &&
      !isKept(found) &&
      !isOfAnother(found.object.metadata.labels, environment, formerly) &&
      !found.object.metadata.deletionTimestamp,
  );
  await Promise.all(own.map(({ path, object }) => kubernetes.remove(path, { uid: object.metadata.uid }, signal)));
  return own.map(({ kind, object }) => `${kind.kind} ${object.metadata.name}`).sort();
}
