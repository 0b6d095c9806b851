/** Whether a release is ours: the one place that decides it, for plans and for every step that changes something. */
import { DamagedRecordError, readStoredRelease, type StoredRelease } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { chartNames, ForeignReleaseError, isAdopted, labelsSay } from '../../plan/ownership/foreign.ts';
import type { Owners } from '../../plan/ownership/foreign-object.ts';
import { type ForeignRelease, releaseKey } from '../../plan/observed.ts';
import { allReleases } from '../../plan/releases.ts';
import { ownNames } from '../owner/claim.ts';
import type { Release } from './recover.ts';
import type { Revision } from './revisions.ts';

type Deciding = Pick<Clients, 'catalog' | 'environment'> & { kubernetes: Pick<Clients['kubernetes'], 'get'> };
/** Records that were read already, by release key. */
type Known = ReadonlyMap<string, StoredRelease>;

/**
 * Those of the catalog's releases that somebody else has made. Asks for a record only where labels leave a doubt.
 * @param revisions all that Helm has, by release key
 * @returns by release key
 */
export async function foreignReleases(
  clients: Deciding,
  revisions: ReadonlyMap<string, readonly Revision[]>,
  signal?: AbortSignal,
  known: Known = new Map(),
): Promise<Map<string, ForeignRelease>> {
  const found = await Promise.all(
    allReleases(clients.catalog)
      .filter(({ kind }) => kind === 'release')
      .map(async (release) => {
        const key = releaseKey(release.namespace, release.name);
        const foreign = await foreignRelease(clients, release, revisions.get(key) ?? [], signal, known.get(key));
        return foreign === undefined ? [] : [[key, foreign] as const];
      }),
  );
  return new Map(found.flat());
}

/**
 * Before a release is touched.
 * @param revisions of it, all that Helm has
 * @throws ForeignReleaseError when somebody else has put a release of this name there
 */
export async function assertOurs(
  clients: Deciding,
  release: Release,
  revisions: readonly Revision[],
  signal?: AbortSignal,
): Promise<void> {
  const foreign = await foreignRelease(clients, release, revisions, signal);
  if (foreign !== undefined) throw new ForeignReleaseError(clients.environment.name, [foreign]);
}

/** @returns undefined for one that is ours, and where nothing of it is there */
async function foreignRelease(
  { kubernetes, catalog, environment }: Deciding,
  { namespace, name }: Release,
  revisions: readonly Revision[],
  signal?: AbortSignal,
  known?: StoredRelease,
): Promise<ForeignRelease | undefined> {
  const ordered = revisions.toSorted((a, b) => a.revision - b.revision);
  const newest = ordered.at(-1);
  if (newest === undefined || newest.status === 'uninstalled') return undefined;
  const release = allReleases(catalog).find((one) => one.namespace === namespace && one.name === name);
  const said = verdict(ordered, await ownNames(kubernetes, environment.name), release?.service);
  if (said === 'ours') return undefined;
  const record = known ?? (await recordOf(kubernetes, { namespace, name }, newest.revision, signal));
  if (
    said === 'copied' &&
    (release === undefined || record === undefined || chartNames(catalog, release).includes(record.chart.metadata.name))
  )
    return undefined;
  return describe(newest, { namespace, name, service: release?.service }, record);
}

/** Labels count only with their keyed proof; a revision that should have one and has none was made by somebody else. */
function verdict(
  revisions: readonly Revision[],
  [environment, ...formerly]: Owners,
  service: string | undefined,
): ReturnType<typeof labelsSay> {
  const newest = revisions.at(-1);
  const said = labelsSay(revisions, environment, service, formerly);
  if (said === 'ours' && newest?.provenance === 'foreign' && !isAdopted(newest)) return 'copied';
  return said;
}

/** @returns undefined where it is damaged: said of the release where it matters */
async function recordOf(
  kubernetes: Deciding['kubernetes'],
  { namespace, name }: Release,
  revision: number,
  signal?: AbortSignal,
): Promise<StoredRelease | undefined> {
  try {
    return await readStoredRelease(kubernetes, namespace, name, revision, signal);
  } catch (error) {
    if (error instanceof DamagedRecordError) return undefined;
    throw error;
  }
}

function describe(
  newest: Revision,
  { namespace, name, service }: Release & { service: string | undefined },
  record: StoredRelease | undefined,
): ForeignRelease {
  const environment = newest.labels[RELEASE_LABELS.environment];
  const own: readonly string[] = Object.values(RELEASE_LABELS);
  return {
    namespace,
    name,
    revision: newest.revision,
    status: newest.status,
    by: newest.manager,
    at: new Date(newest.writtenAt * 1000).toISOString(),
    labels: Object.entries(newest.labels)
      .filter(([label]) => !own.includes(label))
      .map(([label, value]) => `${label}=${value}`),
    ...(service === undefined ? {} : { service }),
    ...(environment === undefined ? {} : { environment }),
    ...(record === undefined ? {} : { chart: `${record.chart.metadata.name} ${record.chart.metadata.version}` }),
  };
}
