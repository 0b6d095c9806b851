/** A successful operation becomes a platform version, unless it changed nothing; older versions and revisions go. */
import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { PlatformVersion } from '../../contract/version.ts';
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
    changesBetween(newest.releases, releases).length === 0;
  const version =
    own?.version ??
    (same
      ? newest.version
      : await createVersion(
          kubernetes,
          { ...headOf(input, newest), imageTags: await tagsOf(clients, input, signal), releases },
          signal,
        ));
  if (!same) await keepNewest(kubernetes, run.environment, environment.history.versions, signal);
  // Drift repairs leave revisions, too, and make no versions.
  if (longest(revisions) > (same ? LONG : 1))
    await pruneRevisions(clients, revisions, await readVersions(kubernetes, run.environment, signal), signal);
  await proveRevisions(clients, signal);
  return { version };
}

function headOf(
  { run, operation, requestedBy, planDigest, seconds, restores, services }: Input,
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
