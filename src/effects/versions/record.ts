/** A successful operation becomes a platform version, unless it changed nothing; older versions and revisions go. */
import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { PlatformVersion, VersionedRelease } from '../../contract/version.ts';
import type { Environment } from '../../environment/schema.ts';
import { allReleaseInputs, type ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { changesBetween } from '../../plan/versions/versions.ts';
import { proveRevisions } from '../release/prove.ts';
import type { EffectScope } from '../effect.ts';
import { currentReleases, readOurRevisions } from './contents.ts';
import { pruneRevisions } from './prune.ts';
import { createVersion, keepNewest, listVersions, readVersion, readVersions } from './store.ts';

/** Revisions of one release that are worth a look although nothing has changed. */
const LONG = 20;

type Input = InputOf<'recordVersion'>;

export async function recordVersion(
  clients: Clients,
  input: InputOf<'recordVersion'>,
  scope: EffectScope,
): OutputOf<'recordVersion'> {
  const { signal } = scope;
  const { kubernetes } = clients;
  const { run } = input;
  scope.doing('keeps what the cluster holds as a version');

  const [environment, entries, revisions] = await Promise.all([
    currentEnvironment(clients),
    listVersions(kubernetes, run.environment, signal),
    readOurRevisions(clients, signal),
    kubernetes.watches.synced(signal),
  ]);
  const own = entries.find(({ runId }) => runId === run.runId);
  const newest =
    entries[0] === undefined ? undefined : await readVersion(kubernetes, run.environment, entries[0].version, signal);
  const releases = await currentReleases(clients, revisions, newest, signal);
  const same =
    !own &&
    newest !== undefined &&
    !input.services.some(({ changed }) => changed) &&
    changesBetween(newest.releases, releases).length === 0 &&
    comesFrom(newest, input.promotedFrom);
  const version =
    own?.version ??
    (same
      ? newest.version
      : await createVersion(
          kubernetes,
          {
            ...headOf(input, newest),
            imageTags: await tagsOf(clients, input, signal),
            releases: await withContents(clients, environment, input.run, releases),
          },
          signal,
        ));
  if (!same) await keepNewest(kubernetes, run.environment, environment.history.versions, signal);
  // Drift repairs leave revisions, too, and make no versions.
  if (longest(revisions) > (same ? LONG : 1))
    await pruneRevisions(clients, revisions, await readVersions(kubernetes, run.environment, signal), signal);
  await proveRevisions(clients, signal);
  return { version };
}

/** A promotion that finds everything there already leaves a version that says where it comes from. */
function comesFrom({ promotedFrom }: PlatformVersion, wanted: Input['promotedFrom']): boolean {
  return (
    wanted === undefined ||
    (promotedFrom?.environment === wanted.environment &&
      promotedFrom.version === wanted.version &&
      promotedFrom.clusterUid === wanted.clusterUid)
  );
}

/**
 * With what each chart was installed from, where the checkout still is what was deployed: another one finds by that
 * whether it holds the same. What a version before knows of the same content is known already.
 */
async function withContents(
  { catalog, config }: Pick<Clients, 'catalog' | 'config'>,
  environment: Environment,
  { imageTags }: Input['run'],
  releases: readonly VersionedRelease[],
): Promise<VersionedRelease[]> {
  if (releases.every(({ chart }) => chart.content !== undefined)) return [...releases];
  // The version is recorded also where the checkout cannot be read any more.
  const inputs = await allReleaseInputs(catalog, environment, imageTags, config).catch(
    () => new Map<string, ReleaseInputs>(),
  );
  return releases.map((release) => {
    const input = inputs.get(release.name);
    return input?.content === undefined || input.digest !== release.digest
      ? release
      : { ...release, chart: { ...release.chart, content: input.content } };
  });
}

function headOf(
  { run, operation, requestedBy, planDigest, seconds, restores, promotedFrom, services, acts }: Input,
  newest: PlatformVersion | undefined,
): Omit<PlatformVersion, 'version' | 'imageTags' | 'releases'> {
  // A service that was left alone keeps the time that it once took.
  const earlier = new Map(newest?.services.map((service) => [service.name, service]));
  return {
    environment: run.environment,
    clusterUid: run.clusterUid,
    operation,
    at: new Date().toISOString(),
    requestedBy,
    planDigest,
    workflowId: run.workflowId,
    runId: run.runId,
    seconds,
    ...(restores === undefined ? {} : { restores }),
    ...(promotedFrom === undefined ? {} : { promotedFrom }),
    ...(acts === undefined ? {} : { acts }),
    services: services.map(({ name, phase, state, seconds: own, changed }) => ({
      name,
      phase,
      state,
      seconds: changed ? own : (earlier.get(name)?.seconds ?? own),
      changed,
    })),
  };
}

/** A rollback has the tags of what it went back to. */
async function tagsOf(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  { run, restores }: Input,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  if (restores === undefined) return run.imageTags;
  return (await readVersion(kubernetes, run.environment, restores, signal))?.imageTags ?? {};
}

/** Revisions of the release that has most of them. */
function longest(revisions: ReadonlyMap<string, readonly unknown[]>): number {
  return Math.max(0, ...[...revisions.values()].map((all) => all.length));
}
