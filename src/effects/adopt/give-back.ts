/**
 * What was taken over is given back: the marks come off Helm's records, and off the claims and Secrets that they kept.
 * Nothing is applied or deleted: what runs, runs on as it is, and is somebody else's from then on.
 */
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import type { AdoptedRelease } from '../../contract/operations/adopt.ts';
import {
  ADOPTED_AT_ANNOTATION,
  ADOPTED_BY_ANNOTATION,
  KEPT_FOR_ANNOTATION,
  RELEASE_LABELS,
} from '../../contract/names.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { PlanRefusedError } from '../../plan/charts/source.ts';
import { digestOf } from '../../plan/digest.ts';
import { RESOURCE_POLICY } from '../../plan/inputs/helm-marks.ts';
import { releaseKey } from '../../plan/observed.ts';
import type { Owners } from '../../plan/ownership/foreign-object.ts';
import { helmReleasesOf } from '../../plan/releases.ts';
import type { EffectScope } from '../effect.ts';
import { ownNames } from '../owner/claim.ts';
import { assertShown } from '../plan/binding.ts';
import { allNewestRevisions, type Revision, revisionsOf } from '../release/revisions.ts';
import { type Adoption, SETTLED } from './adoption.ts';

type Giving = Pick<Clients, 'kubernetes' | 'catalog' | 'environment'>;

/**
 * Changes nothing.
 * @throws PlanRefusedError when nothing of the service was taken over, or Helm is at work on it
 */
export async function givingBackOf(clients: Giving, service: string, signal: AbortSignal): Promise<Adoption> {
  return judgedGiving(service, await takenOver(clients, service, signal));
}

function judgedGiving(service: string, taken: readonly Taken[]): Adoption {
  if (taken.length === 0)
    throw new PlanRefusedError(
      `There is nothing of "${service}" to give back: no release of it was taken over, or it was given back already.`,
    );
  const busy = taken.find(({ newest }) => !SETTLED.includes(newest.status));
  if (busy !== undefined)
    throw new PlanRefusedError(
      `Release ${busy.name} in ${busy.namespace} is not given back: revision ${busy.newest.revision} is ${busy.newest.status}. Nothing was changed.`,
    );
  const releases = taken.map(described);
  return {
    releases,
    digest: digestOf(['undo', releases.map(({ namespace, name, revision, uid }) => [namespace, name, revision, uid])]),
  };
}

/** Once more after it was cut off: goes on with what is left. @returns what was given back */
export async function giveBack(
  clients: Giving,
  service: string,
  plan: OperationPlan,
  scope: EffectScope,
): Promise<string[]> {
  scope.doing('gives back what was shown');
  const { kubernetes, catalog } = clients;
  const own = helmReleasesOf(catalog, service).map(({ namespace, name }) => releaseKey(namespace, name));
  const taken = await takenOver(clients, service, scope.signal);
  // Nothing is left: an attempt before this one has done it, and its acknowledgement was lost.
  if (taken.length === 0) return own.filter((release) => plan.notes?.some((note) => note.startsWith(`${release}: `)));
  const { releases, digest } = judgedGiving(service, taken);
  // Of several releases an attempt before this one may have given back some.
  if (!releases.every(({ text }) => plan.notes?.includes(text))) assertShown(shownDigest(plan, service), plan, digest);
  const given: string[] = [];
  for (const { namespace, name, revisions, kept } of taken) {
    for (const path of kept)
      await kubernetes.label(path, {}, scope.signal, {
        annotations: { [RESOURCE_POLICY]: null, [KEPT_FOR_ANNOTATION]: null },
      });
    // The newest last: as long as it is marked, the rest is found again.
    for (const { secret } of revisions)
      await kubernetes.label(
        paths.secret(secret.namespace, secret.name),
        Object.fromEntries(Object.values(RELEASE_LABELS).map((label) => [label, null])),
        scope.signal,
        { annotations: { [ADOPTED_BY_ANNOTATION]: null, [ADOPTED_AT_ANNOTATION]: null }, uid: secret.uid },
      );
    given.push(releaseKey(namespace, name));
  }
  return given.sort();
}

/** Of several services each step says what was shown of its own. */
export function shownDigest({ steps = [], digest }: OperationPlan, service: string): string {
  return steps.find((step) => step.kind === 'adopt' && step.service === service)?.digest ?? digest;
}

/** Names of the services of which something was taken over. One request, however many there are. */
export async function takenOverServices(
  { kubernetes, catalog, environment }: Giving,
  signal: AbortSignal,
): Promise<string[]> {
  const [names, all] = await Promise.all([
    ownNames(kubernetes, environment.name),
    allNewestRevisions(kubernetes, signal),
  ]);
  return catalog.services
    .map(({ name }) => name)
    .filter((service) =>
      helmReleasesOf(catalog, service).some(({ namespace, name }) =>
        isTakenOver(all.get(releaseKey(namespace, name)), names),
      ),
    );
}

/** Helm hands labels on, so what was deployed since still says that it was taken over. */
function isTakenOver(newest: Revision | undefined, names: Owners): newest is Revision {
  if (newest === undefined || newest.status === 'uninstalled') return false;
  const { labels } = newest;
  return names.includes(labels[RELEASE_LABELS.environment] ?? '') && labels[RELEASE_LABELS.adopted] !== undefined;
}

interface Taken {
  namespace: string;
  name: string;
  newest: Revision;
  /** Oldest first. */
  revisions: Revision[];
  /** Paths of what was marked to be kept for it. */
  kept: string[];
}

async function takenOver(clients: Giving, service: string, signal: AbortSignal): Promise<Taken[]> {
  const { kubernetes, catalog, environment } = clients;
  const names = await ownNames(kubernetes, environment.name);
  const found = await Promise.all(
    helmReleasesOf(catalog, service).map(async ({ namespace, name }): Promise<Taken[]> => {
      const revisions = await revisionsOf(kubernetes, namespace, name, signal);
      const newest = revisions.at(-1);
      if (!isTakenOver(newest, names)) return [];
      return [{ namespace, name, newest, revisions, kept: await keptFor(clients, namespace, name, signal) }];
    }),
  );
  return found.flat();
}

function described({ namespace, name, newest, kept }: Taken): AdoptedRelease {
  const named = (kind: string): string[] =>
    kept.filter((path) => path.includes(`/${kind}/`)).map((path) => path.slice(path.lastIndexOf('/') + 1));
  const since = Number(newest.labels[RELEASE_LABELS.adopted]);
  return {
    namespace,
    name,
    revision: newest.revision,
    uid: newest.secret.uid,
    text: `${namespace}/${name}: revision ${newest.revision}${
      newest.revision > since
        ? `, which a deployment made after revision ${since} was taken over: what it changed stays as it is`
        : ', as it was taken over'
    }.`,
    objects: [],
    claims: named('persistentvolumeclaims'),
    secrets: named('secrets'),
  };
}

async function keptFor(
  { kubernetes }: Giving,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<string[]> {
  const collections = [paths.persistentVolumeClaims(namespace), paths.secrets(namespace)];
  const lists = await Promise.all(
    collections.map(async (path) => ({ path, ...(await kubernetes.list(path, { metadataOnly: true }, signal)) })),
  );
  return lists.flatMap(({ path, items }) =>
    items
      .filter(({ metadata }) => metadata.annotations?.[KEPT_FOR_ANNOTATION] === name)
      .map(({ metadata }) => `${path}/${metadata.name}`),
  );
}
