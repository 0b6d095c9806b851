/** Everything of one release that would be made, changed, replaced or taken away. */
import PQueue from 'p-queue';
import { readStoredRelease } from '../../clients/helm/index.ts';
import { kindKey, type KubernetesClient, paths } from '../../clients/kubernetes/index.ts';
import { isKept, type ManifestObject, manifestObjects } from '../../plan/diff/manifest.ts';
import { HELM_MANAGER } from '../../plan/fields/managed.ts';
import { asHelmApplies } from '../../plan/inputs/helm-marks.ts';
import type { Owners } from '../../plan/ownership/foreign-object.ts';
import { pairRenamed, replacedBy, replacementFields } from '../../plan/diff/objects.ts';
import type { ObjectChange } from '../../plan/diff/types.ts';
import { findLive, type Found, leaves, type Looking, objectChange, objectKey } from './object.ts';

type Located = ManifestObject & { found: Found };

const AT_ONCE = 8;

/** @param wanted as rendered; what would not change is left out of the result */
export async function releaseObjects(
  kubernetes: Pick<KubernetesClient, 'get' | 'list' | 'dryRun'>,
  kinds: Looking['kinds'],
  release: { name: string; namespace: string; revision?: number },
  owners: Owners,
  wanted: readonly ManifestObject[],
  signal: AbortSignal,
  more: Pick<Looking, 'left' | 'formerly' | 'applier' | 'leaves'> = {},
): Promise<ObjectChange[]> {
  const before =
    release.revision === undefined ? [] : await appliedObjects(kubernetes, release, release.revision, signal);
  const inNamespace = (object: ManifestObject): string | undefined =>
    object.namespace ?? namespaceOf(kinds, release.namespace, object);
  const key = (object: ManifestObject): string => objectKey(object.kind, inNamespace(object), object.name);
  const looking: Looking = { kubernetes, kinds, release, owners, applied: new Set(before.map(key)), signal, ...more };
  const keys = new Set(wanted.map(key));

  const queue = new PQueue({ concurrency: AT_ONCE });
  const locate = (objects: readonly ManifestObject[]): Promise<(Located | ManifestObject)[]> =>
    queue.addAll(
      objects.map((object) => async () => {
        const found = await findLive(looking, object);
        return found === undefined ? object : { ...object, found };
      }),
    );
  const [there, gone] = await Promise.all([
    locate(wanted),
    locate(before.filter((object) => !keys.has(key(object)) && !isKept(object.object))),
  ]);
  const made = there.filter((object): object is Located => 'found' in object && object.found.live === undefined);
  // Helm asks the object itself: whoever has marked it since keeps it.
  const ending = gone.filter(
    (object): object is Located => 'found' in object && object.found.live !== undefined && !isKept(object.found.live),
  );
  const pairs = pairRenamed(ending, made);

  const changes = await queue.addAll([
    ...pairs.map(
      ({ before: old, after }) =>
        () =>
          replacement(looking, old, after),
    ),
    ...there
      .filter((object) => !pairs.some(({ after }) => after === object))
      .map(
        (object) => async (): Promise<ObjectChange | undefined> =>
          'found' in object
            ? objectChange(looking, object, object.found)
            : {
                action: 'create',
                kind: object.kind,
                name: object.name,
                ...(object.namespace === undefined ? {} : { namespace: object.namespace }),
                fields: [],
                ...leaves(looking, undefined, object.object),
                note: 'the cluster does not know its kind yet',
              },
      ),
  ]);
  const removed = ending
    .filter((object) => !pairs.some(({ before: old }) => old === object))
    .map((object): ObjectChange => ({ action: 'delete', ...about(object), fields: [] }));
  return [...changes.filter((change) => change !== undefined), ...removed];
}

/** Where nobody can be asked: everything is new. */
export function newObjects(wanted: readonly ManifestObject[], looking: Pick<Looking, 'leaves'> = {}): ObjectChange[] {
  return wanted.map(({ kind, name, namespace, object }) => ({
    action: 'create',
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    fields: [],
    ...leaves(looking, undefined, object),
  }));
}

/** What Helm compares with: the newest revision that was carried out, else the newest. */
async function appliedObjects(
  kubernetes: Pick<KubernetesClient, 'get' | 'list'>,
  { name, namespace }: { name: string; namespace: string },
  newest: number,
  signal: AbortSignal,
): Promise<ManifestObject[]> {
  const { items } = await kubernetes.list(
    paths.secrets(namespace),
    { labelSelector: `owner=helm,name=${name},status=deployed`, metadataOnly: true },
    signal,
  );
  const deployed = items
    .map(({ metadata }) => Number(metadata.labels?.['version']))
    .filter((revision) => Number.isInteger(revision));
  const stored = await readStoredRelease(
    kubernetes,
    namespace,
    name,
    deployed.length > 0 ? Math.max(...deployed) : newest,
    signal,
  );
  return stored === undefined ? [] : manifestObjects(stored.manifest);
}

async function replacement(looking: Looking, old: Located, wanted: Located): Promise<ObjectChange> {
  const { kubernetes, release, signal } = looking;
  const made = await kubernetes
    .dryRun(wanted.found.path, asHelmApplies(wanted.object, release), { manager: HELM_MANAGER }, signal)
    .catch(() => wanted.object);
  return {
    ...about(wanted),
    action: 'replace',
    name: `${old.name} → ${wanted.name}`,
    fields: replacementFields(old.found.live ?? {}, made),
    ...leaves(looking, old.found.live, made),
    ...replacedBy(wanted.kind),
  };
}

function about({ kind, name, found: { namespace } }: Located): Pick<ObjectChange, 'kind' | 'name' | 'namespace'> {
  return { kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function namespaceOf(
  kinds: Looking['kinds'],
  namespace: string,
  { apiVersion, kind }: ManifestObject,
): string | undefined {
  return kinds.get(kindKey(apiVersion, kind))?.namespaced === false ? undefined : namespace;
}
