/**
 * Which of Helm's revisions are ours: decided from their metadata, and from their content for the few where metadata is
 * not enough.
 */
import { unpackStoredRelease } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import { type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import type { Owners } from '../../plan/ownership/foreign-object.ts';
import type { Provenance } from '../../plan/observed.ts';
import {
  isEdited,
  isOurs,
  isWrittenByHelm,
  judged,
  type Proofs,
  provedContent,
  runOfDescription,
} from '../../plan/ownership/provenance.ts';
import { readProofs } from '../vault/proofs.ts';
import { allRevisions, type Revision, revisionsOf } from './revisions.ts';

export type JudgedRevision = Revision & { provenance: Provenance };
type Judging = Pick<Clients, 'kubernetes' | 'vault' | 'redactor' | 'environment'>;

export interface JudgedReleases {
  /** Oldest first, by release key. */
  revisions: Map<string, JudgedRevision[]>;
  proofs: Proofs;
}

/**
 * Every revision that Helm keeps of every release in the cluster. One request, and one more for each that somebody has
 * made since.
 */
export async function allJudgedRevisions(clients: Judging, signal?: AbortSignal): Promise<JudgedReleases> {
  const [all, proofs] = await Promise.all([allRevisions(clients.kubernetes, signal), readProofs(clients)]);
  const entries = await Promise.all(
    [...all].map(async ([key, list]) => [key, await judge(clients, list, proofs, signal)] as const),
  );
  return { revisions: new Map(entries), proofs };
}

/** Of one release, oldest first. */
export async function judgedRevisionsOf(
  clients: Judging,
  { namespace, name }: { namespace: string; name: string },
  signal?: AbortSignal,
): Promise<JudgedRevision[]> {
  const [all, proofs] = await Promise.all([
    revisionsOf(clients.kubernetes, namespace, name, signal),
    readProofs(clients),
  ]);
  return judge(clients, all, proofs, signal);
}

/**
 * The newest of each release, which also says whether the release is ours at all.
 * @param owners names of environments that may stand on it
 */
export function newestJudged(
  owners: Owners,
  revisions: ReadonlyMap<string, readonly JudgedRevision[]>,
): Map<string, JudgedRevision> {
  return new Map(
    [...revisions].flatMap(([key, all]) => {
      const newest = all.at(-1);
      return newest === undefined ? [] : [[key, { ...newest, ours: isOurs(all, owners[0], owners.slice(1)) }] as const];
    }),
  );
}

async function judge(
  clients: Judging,
  all: readonly Revision[],
  proofs: Proofs,
  signal?: AbortSignal,
): Promise<JudgedRevision[]> {
  const sorted = judged(
    all.toSorted((a, b) => a.revision - b.revision),
    proofs,
  ).map((revision) => (revision.provenance === 'foreign' ? { ...revision, writtenBy: writerOf(revision) } : revision));
  const newest = sorted.at(-1);
  if (
    newest?.provenance !== 'foreign' ||
    newest.labels[RELEASE_LABELS.digest] === undefined ||
    !isWrittenByHelm(newest.manager)
  )
    return sorted;
  const run = await runThatApplied(clients, newest, signal);
  return run === undefined
    ? sorted
    : [
        ...sorted.slice(0, -1),
        { ...newest, provenance: 'unproven', labels: { ...newest.labels, [RELEASE_LABELS.run]: run } },
      ];
}

/** A run of ours that was interrupted before it could write the proof has left its name in the record itself. */
async function runThatApplied(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  { secret, labels }: Revision,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const stored = await storedIn(await kubernetes.get(paths.secret(secret.namespace, secret.name), signal));
  const info = stored?.['info'] as { description?: string } | undefined;
  return runOfDescription(info?.description, labels[RELEASE_LABELS.digest]);
}

/** Reads the one record of a revision that metadata calls ours. Without the key it cannot be decided. */
export async function isRecordEdited(
  clients: Judging,
  { provenance, labels, secret }: Pick<JudgedRevision, 'provenance' | 'labels' | 'secret'>,
  signal?: AbortSignal,
): Promise<boolean> {
  const { key } = await readProofs(clients);
  if (provenance !== 'ours' || key === undefined) return false;
  const found = await clients.kubernetes.get(paths.secret(secret.namespace, secret.name), signal);
  return isEdited(key, provedContent(labels), await storedIn(found));
}

/** @returns undefined where there is no content, or it cannot be read */
export async function storedIn(secret: KubernetesObject | undefined): Promise<Record<string, unknown> | undefined> {
  const data = secret?.['data'] as { release?: string } | undefined;
  if (data?.release === undefined) return undefined;
  try {
    return await unpackStoredRelease(data.release);
  } catch {
    return undefined;
  }
}

function writerOf({ manager, writtenAt }: Revision): { manager: string; at: string } {
  return { manager, at: new Date(writtenAt * 1000).toISOString() };
}
