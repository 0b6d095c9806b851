import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import { withVerdicts } from '../admission/policy.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import type { PlatformVersion } from '../../contract/version.ts';
import type { Environment } from '../../environment/schema.ts';
import { ForeignReleaseError } from '../../plan/ownership/foreign.ts';
import { releaseKey } from '../../plan/observed.ts';
import { completed } from '../../plan/steps/complete.ts';
import { revisionOf } from '../../plan/versions/history-kept.ts';
import type { Crossing } from '../../plan/versions/migrations.ts';
import { buildRollbackPlan, newestOf } from '../../plan/versions/rollback.ts';
import { RollbackRefusedError } from '../../plan/versions/rollback-refused.ts';
import { defaultTarget, keyOf } from '../../plan/versions/versions.ts';
import { assertShown } from './binding.ts';
import type { EffectScope } from '../effect.ts';
import { keptNotes } from '../growing/kept.ts';
import { orphanedReleases } from '../observe/cluster.ts';
import { foreignReleases } from '../release/ours.ts';
import { isRecordEdited } from '../release/provenance.ts';
import { allRevisions } from '../release/revisions.ts';
import { type OurRevisions, readOurRevisions } from '../versions/contents.ts';
import { readVersions } from '../versions/store.ts';
import { crossedMigrations, dataOfSurplus, unhealthyServices } from '../versions/survey.ts';

type DecidedPlan = ReturnType<typeof buildRollbackPlan>;

export interface RollbackRequest {
  /** Absent: the version before the current one. */
  toVersion?: number;
  pastNoReturn: boolean;
}

/** What leads back to a platform version, from what the cluster holds now: the same plan however often it was begun. */
export async function planRollback(
  clients: Clients,
  { run, expectedDigest, ...request }: InputOf<'planRollback'>,
  scope: EffectScope,
): OutputOf<'planRollback'> {
  scope.doing('plans the way back');

  const environment = await currentEnvironment(clients);
  const plan = await rollbackPlan(clients, environment, request, scope.signal);
  assertShown(expectedDigest, plan);
  return plan;
}

/** Changes nothing. @throws RollbackRefusedError */
export async function rollbackPlan(
  clients: Clients,
  environment: Environment,
  { toVersion, pastNoReturn }: RollbackRequest,
  signal?: AbortSignal,
): Promise<OperationPlan> {
  const { catalog } = clients;
  const { versions, revisions, target, crossed } = await wayBack(clients, environment, toVersion, signal);
  const data = await dataOfSurplus(clients, revisions, target, signal);
  const unhealthy = unhealthyServices(clients, revisions);
  const orphaned = orphanedReleases(clients);
  const planWith = (known: OurRevisions): DecidedPlan =>
    buildRollbackPlan({
      catalog,
      environment,
      target,
      newest: versions[0],
      revisions: known,
      data,
      unhealthy,
      crossed,
      pastNoReturn,
      orphaned,
    });
  const plan = await toWhatWasDeployed(clients, revisions, planWith, signal);
  const kept = await keptNotes(clients, plan, signal);
  const noted = kept.length === 0 ? plan : { ...plan, notes: [...(plan.notes ?? []), ...kept] };
  return withVerdicts(completed(noted, { verb: 'rollback' }, environment), catalog, environment);
}

/** Migrations that cannot be taken back and that the way would cross. Changes nothing. @throws RollbackRefusedError */
export async function crossedOnTheWay(
  clients: Clients,
  environment: Environment,
  toVersion: number | undefined,
  signal?: AbortSignal,
): Promise<Crossing[]> {
  return (await wayBack(clients, environment, toVersion, signal)).crossed;
}

async function wayBack(
  clients: Clients,
  environment: Environment,
  toVersion: number | undefined,
  signal?: AbortSignal,
): Promise<{ versions: PlatformVersion[]; revisions: OurRevisions; target: PlatformVersion; crossed: Crossing[] }> {
  const { kubernetes } = clients;
  const [versions, revisions] = await Promise.all([
    readVersions(kubernetes, environment.name, signal),
    readOurRevisions(clients, signal),
    kubernetes.watches.synced(signal),
  ]);
  const target =
    toVersion === undefined
      ? previous(environment.name, versions, revisions)
      : chosen(environment.name, versions, toVersion);
  await refuseForeign(clients, target, signal);
  const wanted = new Map(target.releases.map((release) => [keyOf(release), release.digest]));
  const crossed = await crossedMigrations(
    clients,
    revisions,
    (key) => revisionOf(revisions.get(key) ?? [], wanted.get(key) ?? '')?.revision,
    signal,
  );
  return { versions, revisions, target, crossed };
}

/**
 * The records that it goes back to are read beforehand: one that somebody has edited is not gone back to, an older one
 * of the same content is.
 */
async function toWhatWasDeployed(
  clients: Clients,
  revisions: OurRevisions,
  planWith: (known: OurRevisions) => DecidedPlan,
  signal?: AbortSignal,
): Promise<DecidedPlan> {
  const plan = planWith(revisions);
  const edited = new Map<string, number>();
  await Promise.all(
    plan.services
      .flatMap(({ steps }) => steps)
      .map(async ({ namespace, name, toRevision }) => {
        const key = releaseKey(namespace, name);
        const back = revisions.get(key)?.find(({ revision }) => revision === toRevision);
        if (back !== undefined && (await isRecordEdited(clients, back, signal))) edited.set(key, back.revision);
      }),
  );
  if (edited.size === 0) return plan;
  const known = new Map(
    [...revisions].map(([key, all]) => [
      key,
      all.map((one) =>
        edited.get(key) === one.revision
          ? { ...one, digest: undefined, foreign: true as const, edited: true as const }
          : one,
      ),
    ]),
  );
  return toWhatWasDeployed(clients, known, planWith, signal);
}

/** @throws ForeignReleaseError where somebody else has a release in the place of one that would come back */
async function refuseForeign(clients: Clients, { releases }: PlatformVersion, signal?: AbortSignal): Promise<void> {
  const foreign = await foreignReleases(clients, await allRevisions(clients.kubernetes, signal), signal);
  const inTheWay = releases.flatMap((release) => foreign.get(keyOf(release)) ?? []);
  if (inTheWay.length > 0) throw new ForeignReleaseError(clients.environment.name, inTheWay);
}

function previous(environment: string, versions: readonly PlatformVersion[], revisions: OurRevisions): PlatformVersion {
  const digests = new Map(
    [...revisions].map(([key, all]) => {
      const newest = newestOf(all);
      return [key, newest?.status === 'deployed' ? newest.digest : undefined] as const;
    }),
  );
  const target = defaultTarget(versions, digests);
  if (target !== undefined) return target;
  throw new RollbackRefusedError(
    FAILURES.versionUnknown,
    versions.length === 0
      ? `There is no platform version of "${environment}" in this cluster: each successful deployment makes one.`
      : `There is no version before the current one of "${environment}": ${known(versions)}.`,
  );
}

/** @throws RollbackRefusedError that lists what there is */
export function chosen(environment: string, versions: readonly PlatformVersion[], wanted: number): PlatformVersion {
  const found = versions.find(({ version }) => version === wanted);
  if (found !== undefined) return found;
  throw new RollbackRefusedError(
    FAILURES.versionUnknown,
    `There is no version ${wanted} of "${environment}" in this cluster: ${known(versions)}.`,
  );
}

function known(versions: readonly PlatformVersion[]): string {
  const numbers = versions.map(({ version }) => version);
  if (numbers.length === 0) return 'none is kept yet, each successful deployment makes one';
  return numbers.length === 1
    ? `only version ${numbers.join()} is kept`
    : `kept are ${numbers.toSorted((a, b) => a - b).join(', ')}`;
}
