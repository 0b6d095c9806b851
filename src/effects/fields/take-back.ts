/** After Helm has met a conflict: whose each field is, decided; ours are claimed by nobody else any more. */
import { DeployError } from '../../contract/errors.ts';
import PQueue from 'p-queue';
import { readStoredRelease } from '../../clients/helm/index.ts';
import { type Kind, kindKey, type KubernetesClient, KubernetesError } from '../../clients/kubernetes/index.ts';
import { FAILURES } from '../../contract/failures.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { type RecordedObject, recordedObjects } from '../../plan/drift/manifest.ts';
import { subjectText } from '../../plan/drift/ignore.ts';
import { withoutClaims } from '../../plan/fields/claims.ts';
import {
  type Conflict,
  conflictLines,
  conflictsOf,
  decideConflicts,
  refusalText,
} from '../../plan/fields/conflicts.ts';
import { marksOf } from '../../plan/fields/left.ts';
import { formerApplier } from '../../plan/ownership/foreign.ts';
import { HELM_MANAGER } from '../../plan/fields/managed.ts';
import { findLive } from '../diff/object.ts';
import type { Release } from '../release/recover.ts';
import { newestRevision, type Revision } from '../release/revisions.ts';
import { withdrawClaims } from './left.ts';

const AT_ONCE = 8;

/**
 * Looks at all that the failed revision wanted to apply, so that one look is enough.
 * @param before the revision that was in effect
 * @returns what is set again, for people
 * @throws DeployError FieldConflict, naming manager and field, where one of them is a controller's: then nothing is
 * taken from anybody
 */
export async function takeBack(
  kubernetes: KubernetesClient,
  release: Release,
  before: Revision | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  const failed = await newestRevision(kubernetes, release.namespace, release.name, signal);
  const stored =
    failed && (await readStoredRelease(kubernetes, release.namespace, release.name, failed.revision, signal));
  if (stored === undefined) return [];
  const { kinds } = await kubernetes.kinds(signal);
  const known = new Map(kinds.map((kind): [string, Kind] => [`${kind.group}/${kind.kind}`, kind]));
  const objects = recordedObjects(
    stored.manifest,
    release,
    (apiVersion, kind) => known.get(kindKey(apiVersion, kind))?.namespaced ?? true,
  );
  const formerly = marksOf(before?.labels[RELEASE_LABELS.left]);
  const applier = formerApplier(before?.labels);
  const queue = new PQueue({ concurrency: AT_ONCE });
  const found = await queue.addAll(
    objects.map((wanted) => async () => {
      const { path, live } = (await findLive({ kubernetes, kinds: known, release, signal }, placed(wanted))) ?? {};
      if (path === undefined || live === undefined) return undefined;
      const conflicts = await conflictsWith(kubernetes, path, wanted.object, signal);
      return { path, live, what: subjectText(wanted), ...decideConflicts(conflicts, wanted, formerly, applier) };
    }),
  );
  const all = found.filter((object) => object !== undefined);
  const refused = all.filter(({ theirs }) => theirs.length > 0);
  if (refused.length > 0)
    throw new DeployError(
      FAILURES.fieldConflict,
      `${release.name} would change fields that others decide: ${refused.map(({ theirs, what }) => refusalText(theirs, what)).join('; ')}`,
    );
  const ours = all.filter((object) => object.ours.length > 0);
  for (const { path, live, ours: conflicts } of ours)
    await withdrawClaims(kubernetes, path, live, signal, (now) =>
      withoutClaims(now, ({ manager, text }) =>
        conflicts.some((conflict) => conflict.manager === manager && conflict.field === text),
      ),
    );
  return ours.flatMap(({ ours: conflicts, what }) => conflictLines(conflicts, what));
}

function placed({ namespace, ...object }: RecordedObject): Parameters<typeof findLive>[1] {
  return namespace === undefined ? object : { ...object, namespace };
}

async function conflictsWith(
  kubernetes: Pick<KubernetesClient, 'dryRun'>,
  path: string,
  object: unknown,
  signal: AbortSignal,
): Promise<Conflict[]> {
  try {
    await kubernetes.dryRun(path, object, { manager: HELM_MANAGER }, signal);
    return [];
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    // Helm reports the rest of what the API server says.
    return error.status === 409 ? conflictsOf(error.causes) : [];
  }
}
