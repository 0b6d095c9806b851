/** What takes back what one failed run has changed: each release to the revision before that run. Pure. */
import type { Catalog, Service } from '../../catalog/schema.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { OperationPlan, PlannedStep } from '../../contract/operations/plan.ts';
import type { Environment } from '../../environment/schema.ts';
import type { Crossing } from './migrations.ts';
import { releaseKey } from '../observed.ts';
import { releasesOf, type Release } from '../releases.ts';
import { assemble, newestOf, ORPHANED, type ObservedRevision, serviceOf } from './rollback.ts';
import { noReturnText, RollbackRefusedError } from './rollback-refused.ts';

export interface UndoPlanInput {
  catalog: Catalog;
  environment: Environment;
  runId: string;
  revisions: ReadonlyMap<string, readonly ObservedRevision[]>;
  crossed: readonly Crossing[];
  /** Releases whose StatefulSet was deleted without its pods, by release key; absent: none. */
  orphaned?: ReadonlySet<string>;
}

/**
 * What a run wrote is known from the labels of its revisions, so a plan that is made anew in the middle is the same
 * plan.
 * @throws RollbackRefusedError when a migration that this run may have applied cannot be taken back
 */
export function buildUndoPlan(input: UndoPlanInput): OperationPlan {
  const { catalog, environment, runId, revisions, crossed, orphaned } = input;
  if (crossed.length > 0)
    throw new RollbackRefusedError(
      FAILURES.pointOfNoReturn,
      noReturnText(crossed, 'Taking back what this run changed'),
    );
  const notes: string[] = [];
  const services = catalog.services.map((service) =>
    serviceOf(
      environment,
      service,
      stepsOf(service, (release) => {
        const key = releaseKey(release.namespace, release.name);
        const { step, note } = decide(release, revisions.get(key) ?? [], runId, orphaned?.has(key) === true);
        if (note !== undefined) notes.push(note);
        return step;
      }),
    ),
  );
  return assemble(catalog, environment, services, { unhealthy: new Map(), notes });
}

/** The revision that a release had before the run; undefined where the run has not touched it, or has installed it. */
export function revisionBefore(revisions: readonly ObservedRevision[], runId: string): ObservedRevision | undefined {
  if (newestOf(revisions)?.run !== runId) return undefined;
  return newestOf(
    revisions.filter(
      ({ run, status, foreign }) =>
        foreign !== true && run !== runId && (status === 'deployed' || status === 'superseded'),
    ),
  );
}

function stepsOf(service: Service, plan: (release: Release) => PlannedStep | undefined): PlannedStep[] {
  return releasesOf(service)
    .filter(({ kind }) => kind === 'release')
    .flatMap((release) => plan(release) ?? []);
}

function decide(
  { name, namespace, job }: Release,
  revisions: readonly ObservedRevision[],
  runId: string,
  orphaned: boolean,
): { step?: PlannedStep; note?: string } {
  const newest = newestOf(revisions);
  if (newest === undefined) return {};
  const base = { kind: 'release' as const, name, namespace, job, digest: newest.digest ?? '' };
  // The run was cut off between taking its StatefulSet away and applying it with larger claims.
  if (orphaned && newest.status === 'deployed' && newest.run !== runId)
    return { step: { ...base, action: 'rollback', reason: ORPHANED, toRevision: newest.revision } };
  if (newest.run !== runId) return { step: { ...base, action: 'unchanged', reason: 'not touched by this run' } };
  const before = revisionBefore(revisions, runId);
  if (before === undefined) {
    return {
      step: { ...base, action: 'unchanged', reason: 'was installed by this run, and stays' },
      note: `${name} was installed by this run and stays: there is nothing before it, and the next deployment goes on from it.`,
    };
  }
  const digest = before.digest ?? '';
  if (newest.status === 'deployed' && newest.digest === before.digest) {
    // Applied again as it was, or taken back already: nothing would become better by waiting for it.
    return { step: { ...base, action: 'unchanged', reason: 'has the content from before this run' } };
  }
  return {
    step: {
      ...base,
      digest,
      action: 'rollback',
      reason: `back to revision ${before.revision}, from before this run`,
      toRevision: before.revision,
    },
  };
}
