/** What the platform's namespaces hold, and whose each object is. Reads names, labels and annotations only. */
import { z } from 'zod';
import type { Clients } from '../../clients/index.ts';
import { type Kind, type KubernetesObject, managersOf, paths } from '../../clients/kubernetes/index.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, NAMESPACE_CREATED_ANNOTATION, RELEASE_LABELS } from '../../contract/names.ts';
import { releaseKey } from '../../plan/observed.ts';
import { allReleases } from '../../plan/releases.ts';
import { type ObjectOwnership, objectOwnershipOf, madeAtRunTime } from '../../plan/destroy/object-ownership.ts';
import { isOfAnother } from '../../plan/ownership/owner-label.ts';
import { formerNames } from '../owner/claim.ts';
import { type FoundObject, listAll, swept } from '../release/orphans.ts';
import { foreignReleases } from '../release/ours.ts';
import { allRevisions, newestOfEach } from '../release/revisions.ts';

export interface SurveyedNamespace {
  name: string;
  uid: string;
  object: KubernetesObject;
  /** Somebody else's namespace stays, whatever it holds. */
  ours: boolean;
  /** Somebody has deleted it already. */
  deleting: boolean;
  objects: (FoundObject & { ownership: ObjectOwnership })[];
  /** Kinds whose server did not answer, each with what came back: somebody may have objects of them here. */
  unanswered: string[];
  /** Kinds that the identity may not look at: somebody may have objects of them here. */
  unseen: string[];
}

export interface Survey {
  namespaces: SurveyedNamespace[];
  kinds: Kind[];
  /** `<namespace>/<release>` of all that is, or was, a release of ours. */
  releases: Set<string>;
}

type Surveying = Pick<Clients, 'kubernetes' | 'catalog' | 'environment'>;
const ownersSchema = z.looseObject({ ownerReferences: z.array(z.unknown()).nullish() });
/** Who writes to a namespace without having made it. */
const CONTROLLERS = ['kube-controller-manager', 'kube-apiserver'];

/** Helm's records, and which of the catalog's releases are somebody else's. */
export interface OwnReleases {
  revisions: Awaited<ReturnType<typeof allRevisions>>;
  foreign: Awaited<ReturnType<typeof foreignReleases>>;
}

export async function ownReleases(clients: Surveying, signal?: AbortSignal): Promise<OwnReleases> {
  const revisions = await allRevisions(clients.kubernetes, signal);
  return { revisions, foreign: await foreignReleases(clients, revisions, signal) };
}

/** @param known what was read of releases just now; absent: it is read */
export async function survey(clients: Surveying, signal?: AbortSignal, known?: OwnReleases): Promise<Survey> {
  const { kubernetes, catalog, environment } = clients;
  const [{ items }, served, { revisions, foreign }] = await Promise.all([
    kubernetes.list(paths.namespaces, { metadataOnly: true }, signal),
    kubernetes.kinds(signal),
    known ?? ownReleases(clients, signal),
  ]);
  const releases = new Set(allReleases(catalog).map(({ namespace, name }) => releaseKey(namespace, name)));
  const formerly = await formerNames(kubernetes, environment.name);
  const isOwn = (name: string | undefined): boolean => name === environment.name || formerly.includes(name ?? '');
  for (const [key, { labels }] of newestOfEach(revisions)) {
    if (isOwn(labels[RELEASE_LABELS.environment]) && !foreign.has(key)) releases.add(key);
    else releases.delete(key);
  }
  const kinds = swept(served);
  const silent = served.silent.map(({ group, version, reason }) => `whatever ${group}/${version} serves (${reason})`);
  const namespaced = kinds.filter((kind) => kind.namespaced);
  const made = madeAtRunTime(catalog);
  const namespaces: SurveyedNamespace[] = [];
  for (const { name } of catalog.namespaces) {
    const object = items.find(({ metadata }) => metadata.name === name);
    if (!object) continue;
    const unseen: string[] = [];
    const unanswered = [...silent];
    const found = await listAll(
      kubernetes,
      namespaced,
      {
        namespace: name,
        unseen: ({ group, plural }, why) => {
          const name = group === '' ? plural : `${plural}.${group}`;
          if (why === undefined) unseen.push(name);
          else unanswered.push(`${name} (${why})`);
        },
      },
      signal,
    );
    namespaces.push({
      name,
      object,
      uid: object.metadata.uid,
      ours: isCreatedByUs(object) && !isOfAnother(object.metadata.labels, environment.name, formerly),
      deleting: Boolean(object.metadata.deletionTimestamp),
      unseen: unseen.sort(),
      unanswered: unanswered.sort(),
      objects: found.map((one) => ({
        ...one,
        ownership: objectOwnershipOf(seen(one), releases, environment.name, made, formerly),
      })),
    });
  }
  return { namespaces, kinds, releases };
}

/** Marked when it was created; one from before there was such a mark is ours if nobody else has ever written to it. */
export function isCreatedByUs({ metadata }: KubernetesObject): boolean {
  if (metadata.labels?.[MANAGED_BY_LABEL] !== MANAGED_BY) return false;
  if (metadata.annotations?.[NAMESPACE_CREATED_ANNOTATION] !== undefined) return true;
  const managers = managersOf({ metadata });
  return (
    managers.length > 0 && managers.every(({ manager }) => manager === MANAGED_BY || CONTROLLERS.includes(manager))
  );
}

export function seen({ kind, object: { metadata } }: FoundObject): Parameters<typeof objectOwnershipOf>[0] {
  return {
    group: kind.group,
    kind: kind.kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    owned: (ownersSchema.parse(metadata).ownerReferences ?? []).length > 0,
  };
}
