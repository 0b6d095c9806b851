/**
 * Which versions of Kubernetes' APIs are in use: by Helm's records of what runs and of what a rollback would need, and
 * by whoever writes into live objects. Changes nothing.
 */
import { z } from 'zod';
import type { Clients } from '../../clients/index.ts';
import { DamagedRecordError, readStoredRelease } from '../../clients/helm/index.ts';
import { isForbidden, type Kind, kindKey, type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import { manifestObjects } from '../../plan/diff/manifest.ts';
import { managedEntries } from '../../plan/fields/managed.ts';
import { releaseKey } from '../../plan/observed.ts';
import { allReleases } from '../../plan/releases.ts';
import type { ApiLifecycle } from '../../plan/upgrade/apis.ts';
import { kubernetesVersion, type KubernetesVersion, type UsedApi } from '../../plan/upgrade/judge.ts';
import { tryJson } from '../../try-json.ts';
import { listAll } from '../release/orphans.ts';
import { allRevisions, newestOfEach } from '../release/revisions.ts';
import { readVersions } from '../versions/store.ts';

export interface RecordedUse {
  /** `data/database` */
  release: string;
  revision: number;
  /** It is what runs. */
  newest: boolean;
  /** Platform versions that a rollback to would apply it for. */
  versions: number[];
  used: UsedApi[];
}

export interface Survey {
  /** Of the API server, as it says itself. */
  version: string;
  records: RecordedUse[];
  /** Fields of live objects, with who writes them through which version. */
  written: (UsedApi & { manager: string })[];
  kubelets: { node: string; version: string }[];
  /** What could not be looked at. */
  notes: string[];
}

type Reading = Pick<Clients, 'kubernetes' | 'catalog' | 'environment'>;

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const nodeSchema = z.looseObject({
  status: z.looseObject({ nodeInfo: z.looseObject({ kubeletVersion: z.string() }).optional() }).optional(),
});
const appliedSchema = z.looseObject({ apiVersion: z.string() });

/** @throws KubernetesError */
export async function surveyApis(
  clients: Reading,
  target: KubernetesVersion,
  lifecycles: readonly ApiLifecycle[],
  signal: AbortSignal,
): Promise<Survey> {
  const { kubernetes } = clients;
  const notes: string[] = [];
  const version = await kubernetes.version(signal);
  const [records, written, kubelets] = await Promise.all([
    recordedUses(clients, notes, signal),
    writtenUses(clients, goingAway(lifecycles, version, target), notes, signal),
    kubeletVersions(clients, notes, signal),
  ]);
  return { version, records, written, kubelets, notes };
}

/** Those that are served now, and by the target not, or only with a warning. */
function goingAway(
  lifecycles: readonly ApiLifecycle[],
  version: string,
  target: KubernetesVersion,
): readonly ApiLifecycle[] {
  const current = kubernetesVersion(version)?.minor ?? 0;
  return lifecycles.filter(
    ({ deprecated = Infinity, removed = Infinity }) =>
      removed > current && Math.min(deprecated, removed) <= target.minor,
  );
}

async function recordedUses(
  { kubernetes, catalog, environment }: Reading,
  notes: string[],
  signal: AbortSignal,
): Promise<RecordedUse[]> {
  const [revisions, versions] = await Promise.all([
    allRevisions(kubernetes, signal),
    readVersions(kubernetes, environment.name, signal),
  ]);
  const ours = new Set(allReleases(catalog).map(({ namespace, name }) => releaseKey(namespace, name)));
  const newest = newestOfEach(revisions);
  const wanted = new Map<string, Omit<RecordedUse, 'used'> & { namespace: string; name: string }>();
  for (const [release, { revision, secret, name }] of newest)
    if (ours.has(release))
      wanted.set(`${release} ${revision}`, {
        release,
        revision,
        newest: true,
        versions: [],
        namespace: secret.namespace,
        name,
      });
  for (const { version, releases } of versions)
    for (const { namespace, name, revision } of releases) {
      const release = releaseKey(namespace, name);
      const known = wanted.get(`${release} ${revision}`);
      wanted.set(`${release} ${revision}`, {
        ...(known ?? { release, revision, newest: false, namespace, name }),
        versions: [...(known?.versions ?? []), version],
      });
    }
  const read = await Promise.all(
    [...wanted.values()].map(async ({ namespace, name, ...one }): Promise<RecordedUse[]> => {
      try {
        const stored = await readStoredRelease(kubernetes, namespace, name, one.revision, signal);
        return stored === undefined ? [] : [{ ...one, used: usedIn(stored.manifest, namespace) }];
      } catch (error) {
        if (!(error instanceof DamagedRecordError)) throw error;
        notes.push(`Helm's record of ${one.release}, revision ${one.revision}, cannot be read`);
        return [];
      }
    }),
  );
  return read.flat().sort((a, b) => a.release.localeCompare(b.release) || a.revision - b.revision);
}

/** @param manifest YAML, as Helm renders or records it */
export function usedIn(manifest: string, namespace: string): UsedApi[] {
  return manifestObjects(manifest).map(({ apiVersion, kind, name, namespace: own }) => ({
    apiVersion,
    kind,
    object: `${own ?? namespace}/${name}`,
  }));
}

async function writtenUses(
  { kubernetes }: Reading,
  going: readonly ApiLifecycle[],
  notes: string[],
  signal: AbortSignal,
): Promise<Survey['written']> {
  if (going.length === 0) return [];
  const { kinds } = await kubernetes.kinds(signal);
  const wanted = new Set(going.map(({ apiVersion, kind }) => kindKey(apiVersion, kind)));
  const listed = kinds.filter(({ group, kind, verbs }) => verbs.includes('list') && wanted.has(`${group}/${kind}`));
  const unseen = ({ kind }: Kind, why?: string): void => {
    notes.push(
      why === undefined
        ? `${kind}s of the cluster may not be looked at`
        : `${kind}s of the cluster could not be looked at: ${why}`,
    );
  };
  const found = Map.groupBy(await listAll(kubernetes, listed, { unseen }, signal), ({ kind }) => kind);
  return listed.flatMap((kind) => (found.get(kind) ?? []).flatMap(({ object }) => writers(object, kind.kind)));
}

function writers(item: KubernetesObject, kind: string): Survey['written'] {
  const { name, namespace, annotations } = item.metadata;
  const object = namespace === undefined ? name : `${namespace}/${name}`;
  const applied = appliedSchema.safeParse(tryJson(annotations?.[LAST_APPLIED] ?? ''));
  return [
    ...managedEntries(item).flatMap(({ manager, apiVersion }) =>
      apiVersion === undefined ? [] : [{ apiVersion, kind, object, manager }],
    ),
    ...(applied.success ? [{ apiVersion: applied.data.apiVersion, kind, object, manager: 'kubectl apply' }] : []),
  ];
}

async function kubeletVersions(
  { kubernetes }: Reading,
  notes: string[],
  signal: AbortSignal,
): Promise<Survey['kubelets']> {
  try {
    const { items } = await kubernetes.list(paths.nodes, {}, signal);
    return items.map((item) => ({
      node: item.metadata.name,
      version: nodeSchema.parse(item).status?.nodeInfo?.kubeletVersion ?? '',
    }));
  } catch (error) {
    if (!isForbidden(error)) throw error;
    notes.push('nodes may not be looked at, so the versions of their kubelets are not known');
    return [];
  }
}
