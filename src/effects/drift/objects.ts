/** Drift of Kubernetes objects, of Helm's records and of namespaces. Reads only, and few lists of them. */
import type { Clients } from '../../clients/index.ts';
import {
  type Kind,
  type KubernetesClient,
  KubernetesError,
  type KubernetesObject,
  kindKey,
  pathOfKind,
  releaseOf,
} from '../../clients/kubernetes/index.ts';
import type { DriftFinding, DriftReport } from '../../contract/drift.ts';
import type { Environment } from '../../environment/schema.ts';
import { confirmed, type Difference, differences } from '../../plan/drift/compare.ts';
import { type Ignore, ignoreRules, subjectText } from '../../plan/drift/ignore.ts';
import { replacedWholes } from '../../plan/fields/additions.ts';
import { HELM_MANAGER } from '../../plan/fields/managed.ts';
import { recordedObjects } from '../../plan/drift/manifest.ts';
import { namespaceFindings } from '../../plan/drift/namespaces.ts';
import { ownerOf } from '../../plan/diff/manifest.ts';
import { foreignOwner, type Owners } from '../../plan/ownership/foreign-object.ts';
import {
  type AppliedObject,
  changedObject,
  foreignObject,
  type Judged,
  missingObject,
} from '../../plan/drift/object.ts';
import { type ReleaseSurvey, surveyReleases } from '../../plan/drift/releases.ts';
import { claimFinding, isWorkload, workloadFinding } from '../../plan/drift/workloads.ts';
import { releaseKey } from '../../plan/observed.ts';
import { isVerified } from '../../plan/ownership/provenance.ts';
import { namespaceLabels } from '../namespaces.ts';
import { ownNames } from '../owner/claim.ts';
import { foreignReleases } from '../release/ours.ts';
import { readPods } from '../observe/workloads.ts';
import { troublesOf } from '../observe/troubles.ts';
import type { Fingerprint } from '../../plan/diff/sensitive.ts';
import { readFingerprint } from '../vault/proofs.ts';
import { definitionDrift } from './definitions.ts';
import { extraObjects } from './extra.ts';
import { byKey, looks } from './kinds.ts';
import { type Listing, listKind, notObservable, notSeen } from './listing.ts';
import { readRecorded, type RecordedReleases } from './recorded.ts';

export interface ObjectDrift {
  findings: DriftFinding[];
  checked: Pick<DriftReport['checked'], 'objects' | 'releases'>;
  ignored: number;
}

type Cluster = Pick<Clients, 'kubernetes' | 'catalog' | 'vault' | 'redactor' | 'environment'>;

/** @throws what is neither a refusal nor silence of the API server, or the signal's reason */
export async function findObjectDrift(
  clients: Cluster,
  environment: Environment,
  signal: AbortSignal,
): Promise<ObjectDrift> {
  const { kubernetes, catalog } = clients;
  const namespaces = catalog.namespaces.map(({ name }) => name);
  let kinds: Awaited<ReturnType<KubernetesClient['kinds']>>;
  let recorded: RecordedReleases;
  let foreign: Awaited<ReturnType<typeof foreignReleases>>;
  try {
    [kinds, recorded] = await Promise.all([kubernetes.kinds(signal), readRecorded(clients, signal)]);
    foreign = await foreignReleases(clients, recorded.revisions, signal, recorded.stored);
  } catch (error) {
    // Without Helm's records nobody knows what was applied.
    return {
      findings: [notObservable('Releases', undefined, notSeen(error, signal))],
      checked: { objects: 0, releases: 0 },
      ignored: 0,
    };
  }
  const served = byKey(kinds);
  // What somebody else's release consists of is that somebody's business.
  const own = new Map([...recorded.stored].filter(([key]) => !foreign.has(key)));
  const known = appliedObjects(clients, own, served);
  const looked = looks(
    served,
    new Map([
      ['/Namespace', 'v1'],
      ...known.map(({ apiVersion, kind }) => [kindKey(apiVersion, kind), apiVersion.split('/').at(-1) ?? ''] as const),
    ]),
  );
  const listings = new Map(
    await Promise.all(
      looked.map(
        async ({ key, kind, metadataOnly }) =>
          [key, await listKind(kubernetes, kind, namespaces, { metadataOnly }, signal)] as const,
      ),
    ),
  );
  const live = [...listings.values()].flatMap(({ objects }) => objects);
  const applied = withReceipts(known, recorded, listings.get('batch/Job'));
  const owners = await ownNames(kubernetes, environment.name);
  const survey = surveyReleases({
    environment: environment.name,
    catalog,
    revisions: recorded.revisions,
    foreign,
    claimed: claimedBy(live),
    formerly: owners.slice(1),
  });
  // What is there instead of a record is no revision of anybody's that a repair could put back.
  const isReadable = ({ key }: DriftFinding): boolean => !recorded.damaged.has(key.replace(/^helm\//, ''));
  // Releases with damaged records: their objects are unknown, so none of them counts as extra.
  for (const key of recorded.damaged.keys()) survey.unknown.add(key);
  const ignore = ignoreRules(
    environment.drift.ignore,
    listings.get('autoscaling/HorizontalPodAutoscaler')?.objects ?? [],
    environment.fields,
  );

  const fingerprint = await readFingerprint(clients);
  const judged = await Promise.all(
    applied.map(async (object) => {
      const found = await judge(
        clients,
        object,
        { listings, served, kinds, survey, owners },
        ignore,
        fingerprint,
        signal,
      );
      return object.receipt === true ? withoutRerun(found) : found;
    }),
  );
  const results: Judged[] = [
    ...judged,
    ...namespaceDrift(clients, listings.get('/Namespace'), ignore),
    await definitionDrift(kubernetes, recorded, survey, ignore, fingerprint, signal),
    extraObjects(clients, { listings, applied, recorded, survey }, ignore),
    { findings: claims(listings.get('/PersistentVolumeClaim'), namespaces), ignored: 0 },
  ];
  const unseen = [
    ...[...listings.values()].flatMap((listing) => listing.unseen),
    ...kinds.silent
      // What another version serves as well can be seen there.
      .filter(({ group }) =>
        applied.some(
          ({ apiVersion, kind }) => kindKey(apiVersion, '') === `${group}/` && !served.has(kindKey(apiVersion, kind)),
        ),
      )
      .map(({ group, version, reason }) => notObservable(`API group ${group}/${version}`, undefined, reason)),
    ...unproved(recorded, survey),
    ...[...recorded.damaged].map(([key, why]) => ({
      ...notObservable(`Release ${key}`, undefined, "Helm's record of it cannot be read"),
      area: 'helm',
      note: why,
    })),
  ];
  return {
    findings: [...survey.findings.filter(isReadable), ...results.flatMap(({ findings }) => findings), ...unseen],
    checked: { objects: applied.length + namespaces.length, releases: survey.baselines.size },
    ignored: results.reduce((sum, { ignored }) => sum + ignored, 0),
  };
}

function appliedObjects(
  { catalog }: Cluster,
  stored: RecordedReleases['stored'],
  served: ReadonlyMap<string, Kind>,
): AppliedObject[] {
  const owners = new Map(
    catalog.services.flatMap((service) =>
      [service, ...service.before, ...service.after].map(
        (step) => [releaseKey(service.namespace, step.name), service.name] as const,
      ),
    ),
  );
  const jobs = new Set(
    catalog.services.flatMap((service) => [
      ...(service.kind === 'job' ? [service.name] : []),
      ...[...service.before, ...service.after].flatMap((step) => ('job' in step && step.job ? [step.name] : [])),
    ]),
  );
  const namespaces = new Set(catalog.namespaces.map(({ name }) => name));
  return [...stored]
    .filter(([, { namespace }]) => namespaces.has(namespace))
    .flatMap(([key, release]) => {
      const service = owners.get(key);
      return recordedObjects(
        release.manifest,
        release,
        (apiVersion, kind) => served.get(kindKey(apiVersion, kind))?.namespaced ?? true,
      ).map((object) => ({
        ...object,
        release: release.name,
        ...(service === undefined ? {} : { service }),
        job: jobs.has(release.name),
      }));
    });
}

/** A Job that has completed once, and whose object is gone: Helm's record says that it has done its work. */
function withReceipts(
  applied: readonly AppliedObject[],
  { revisions }: RecordedReleases,
  jobs: Listing | undefined,
): AppliedObject[] {
  const present = new Set(
    jobs?.objects.map((job) => releaseKey(job.metadata.namespace ?? '', releaseOf(job) ?? '')) ?? [],
  );
  return applied.map((object) => {
    const key = releaseKey(object.namespace ?? '', object.release);
    const newest = revisions.get(key)?.at(-1);
    const receipt = object.job && !present.has(key) && newest?.provenance !== 'foreign' && newest && isVerified(newest);
    return receipt === true ? { ...object, receipt } : object;
  });
}

/** Helm would make the Job again, and with that run it. */
function withoutRerun({ findings, ignored }: Judged): Judged {
  return {
    ignored,
    findings: findings.map(({ repair: _none, ...finding }) => ({
      ...finding,
      note: 'its Job has completed and is gone; putting this back would run it again, and is left to a person: deploy --rerun',
    })),
  };
}

interface Seen {
  listings: ReadonlyMap<string, Listing>;
  served: ReadonlyMap<string, Kind>;
  kinds: Awaited<ReturnType<KubernetesClient['kinds']>>;
  survey: ReleaseSurvey;
  owners: Owners;
}

async function judge(
  { kubernetes }: Cluster,
  applied: AppliedObject,
  { listings, served, kinds, owners }: Seen,
  ignore: Ignore,
  fingerprint: Fingerprint,
  signal: AbortSignal,
): Promise<Judged> {
  const key = kindKey(applied.apiVersion, applied.kind);
  const kind = served.get(key);
  if (kind === undefined) {
    const silent = kinds.silent.some(({ group }) => key.startsWith(`${group}/`));
    return silent
      ? { findings: [], ignored: 0 }
      : missingObject(applied, ignore, `the cluster no longer knows the kind ${applied.kind}`);
  }
  const listing = listings.get(key);
  if (listing === undefined || listing.blind.has('*') || listing.blind.has(applied.namespace ?? ''))
    return { findings: [], ignored: 0 };
  const path = `${pathOfKind({ ...kind, version: applied.apiVersion.split('/').at(-1) ?? kind.version }, applied.namespace)}/${applied.name}`;
  const listed = listing.objects.find(
    ({ metadata }) => metadata.name === applied.name && (metadata.namespace ?? '') === (applied.namespace ?? ''),
  );
  let live = listed;
  try {
    if (listed !== undefined && applied.kind === 'Secret') live = await kubernetes.get(path, signal);
  } catch (error) {
    return { findings: [notObservable(subjectText(applied), undefined, notSeen(error, signal))], ignored: 0 };
  }
  if (live === undefined) return missingObject(applied, ignore);
  const release = ownerOf(applied.object);
  const whose = release === undefined ? undefined : foreignOwner(live, release, owners);
  if (whose !== undefined) return foreignObject(applied, live, ignore, whose);
  const found = differences(applied.object, live);
  const suspected = [...found, ...replacedWholes(applied.object, live, found)];
  const different = suspected.length === 0 ? [] : await tried(kubernetes, path, applied, live, suspected, signal);
  const judged = changedObject(applied, live, different, ignore, fingerprint);
  if (!isWorkload(applied.kind)) return judged;
  const changed = judged.findings.some(({ field }) => field !== undefined);
  const first = workloadFinding(applied, live, changed, []);
  if (first === undefined) return judged;
  return {
    ...judged,
    findings: [
      ...judged.findings,
      workloadFinding(applied, live, changed, await troubles(kubernetes, applied, live, signal)) ?? first,
    ],
  };
}

/** The API server decides whether it would change anything: defaults and spellings are its own. */
async function tried(
  kubernetes: Pick<KubernetesClient, 'dryRun'>,
  path: string,
  { object }: AppliedObject,
  live: KubernetesObject,
  suspected: readonly Difference[],
  signal: AbortSignal,
): Promise<Difference[]> {
  try {
    return confirmed(
      suspected,
      await kubernetes.dryRun(path, object, { manager: HELM_MANAGER, force: true }, signal),
      live,
    );
  } catch (error) {
    signal.throwIfAborted();
    // It refuses to change it back, or we may not ask: then what was seen is what there is to say.
    if (error instanceof KubernetesError) return [...suspected];
    throw error;
  }
}

async function troubles(
  kubernetes: Pick<KubernetesClient, 'list' | 'watches'>,
  { namespace = '', release }: AppliedObject,
  live: KubernetesObject,
  signal: AbortSignal,
): Promise<string[]> {
  try {
    const of = { namespace, name: release };
    return troublesOf(kubernetes, of, await readPods(kubernetes, of, [{ object: live }], signal));
  } catch (error) {
    notSeen(error, signal);
    return [];
  }
}

/** One finding for all: the reason is the same. */
function unproved({ revisions, proofs }: RecordedReleases, { baselines }: ReleaseSurvey): DriftFinding[] {
  const unknown = [...baselines.keys()].filter((key) => revisions.get(key)?.at(-1)?.provenance === 'unknown');
  if (unknown.length === 0) return [];
  const why = proofs.reason ?? 'they were proved with a key that Vault has lost; the next deployment proves them anew';
  return [
    {
      ...notObservable('Proofs of revisions', undefined, `${unknown.length} releases: ${why}`),
      area: 'helm',
      note: 'who wrote the revisions in effect cannot be proved now; they count by their labels',
    },
  ];
}

function namespaceDrift({ catalog }: Cluster, listing: Listing | undefined, ignore: Ignore): Judged[] {
  if (listing === undefined || listing.blind.size > 0) return [];
  return catalog.namespaces.map((namespace) =>
    namespaceFindings(
      namespace.name,
      namespaceLabels(namespace),
      listing.objects.find(({ metadata }) => metadata.name === namespace.name),
      ignore,
    ),
  );
}

function claims(listing: Listing | undefined, namespaces: readonly string[]): DriftFinding[] {
  return (listing?.objects ?? [])
    .filter(({ metadata }) => namespaces.includes(metadata.namespace ?? ''))
    .flatMap(
      (claim) =>
        claimFinding(
          { kind: 'PersistentVolumeClaim', namespace: claim.metadata.namespace, name: claim.metadata.name },
          claim,
        ) ?? [],
    );
}

function claimedBy(live: readonly KubernetesObject[]): Set<string> {
  return new Set(
    live.flatMap((object) => {
      const namespace = object.metadata.annotations?.['meta.helm.sh/release-namespace'];
      const name = releaseOf(object);
      return namespace === undefined || name === undefined ? [] : [releaseKey(namespace, name)];
    }),
  );
}
