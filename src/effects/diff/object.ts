/** One object, as it is and as the API server would make it: asked by a dry run, so that defaults are no change. */
import {
  type Kind,
  kindKey,
  type KubernetesClient,
  KubernetesError,
  type KubernetesObject,
  isNotFound,
  pathOfKind,
} from '../../clients/kubernetes/index.ts';
import { type ManifestObject, ownerOf } from '../../plan/diff/manifest.ts';
import { type Conflict, conflictsOf, decideConflicts } from '../../plan/fields/conflicts.ts';
import { type LeftField, leftOf, withLiveFields } from '../../plan/fields/left.ts';
import { foreignOwner, type Owners, waysIn } from '../../plan/ownership/foreign-object.ts';
import { asHelmApplies } from '../../plan/inputs/helm-marks.ts';
import { HELM_MANAGER } from '../../plan/fields/managed.ts';
import { immutableFields, objectFields, objectLeaves } from '../../plan/diff/objects.ts';
import type { ObjectChange } from '../../plan/diff/types.ts';
import { jobHealth } from '../../plan/health/index.ts';
import type { Tree } from '../../environment/files/merge.ts';

/** Given by the server to this very object: a stand-in would have others. */
const ALLOCATED =
  /^(metadata\.name$|spec\.(clusterIPs?|healthCheckNodePort|volumeName|nodeName|ipFamilies|ipFamilyPolicy)\b|spec\.ports\[.*\]\.nodePort$)/;

export interface Looking {
  kubernetes: Pick<KubernetesClient, 'get' | 'dryRun'>;
  /** Served by the cluster, by `group/Kind`. */
  kinds: ReadonlyMap<string, Kind>;
  release: { name: string; namespace: string };
  /** Names of environments that may stand on its objects. */
  owners: Owners;
  /** `Kind namespace/name` of what the release has applied before. */
  applied: ReadonlySet<string>;
  /** Fields that are left to others. */
  left?: readonly LeftField[];
  /** Marks of those that the newest revision has left. */
  formerly?: readonly string[];
  /** In whose name the release was applied before it was taken over. */
  applier?: string;
  /** Every single value is asked for, not only what people are shown. */
  leaves?: boolean;
  signal: AbortSignal;
}

export interface Found {
  path: string;
  namespace?: string;
  live: KubernetesObject | undefined;
}

/** @returns undefined when the cluster does not know the kind */
export async function findLive(
  {
    kubernetes,
    kinds,
    release,
    signal,
  }: Pick<Looking, 'kinds' | 'release' | 'signal'> & {
    kubernetes: Pick<KubernetesClient, 'get'>;
  },
  { apiVersion, kind, name, namespace }: Pick<ManifestObject, 'apiVersion' | 'kind' | 'name' | 'namespace'>,
): Promise<Found | undefined> {
  const known = kinds.get(kindKey(apiVersion, kind));
  if (known === undefined) return undefined;
  const within = known.namespaced ? (namespace ?? release.namespace) : undefined;
  const path = `${pathOfKind({ ...known, version: apiVersion.split('/').at(-1) ?? known.version }, within)}/${name}`;
  return { path, ...(within === undefined ? {} : { namespace: within }), live: await kubernetes.get(path, signal) };
}

/** @returns undefined when nothing would change */
export async function objectChange(
  looking: Looking,
  wanted: ManifestObject,
  found: Found,
): Promise<ObjectChange | undefined> {
  const { kubernetes, release, applied, signal } = looking;
  const { path, live, namespace } = found;
  const { kind, name } = wanted;
  const about = { kind, name, ...(namespace === undefined ? {} : { namespace }) };
  // What is made anew begins as the chart has it.
  const left = live === undefined ? [] : leftOf(looking.left ?? [], about);
  const object = withLiveFields(asHelmApplies(wanted.object, release), live, left);
  // Helm makes definitions where they are missing and never touches them again.
  if (wanted.definition && live !== undefined) return undefined;
  if (live === undefined)
    return {
      action: 'create',
      ...about,
      fields: [],
      ...leaves(looking, undefined, object),
      ...(wanted.definition ? {} : await objectionTo(looking, path, object)),
    };
  if (kind === 'Job' && jobHealth(live).status === 'failed')
    return {
      action: 'replace',
      ...about,
      fields: [],
      ...leaves(looking, live, object),
      note: 'it has failed for good: it is removed and runs again',
    };

  const adopted = !applied.has(objectKey(kind, namespace, name));
  // Whose it is is looked at before anything is tried: by Helm where it is new to the release, else by the deployer.
  const change = {
    action: adopted ? ('adopt' as const) : ('update' as const),
    ...about,
    ...foreign(live, about, looking, adopted),
  };
  try {
    const made = await kubernetes.dryRun(path, object, { manager: HELM_MANAGER }, signal);
    const fields = objectFields(live, made);
    return fields.length === 0 && !adopted && change.blocked === undefined
      ? undefined
      : { ...change, fields, ...leaves(looking, live, made) };
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    if (error.status === 409) {
      const made = await kubernetes.dryRun(path, object, { manager: HELM_MANAGER, force: true }, signal);
      // What is not taken over is not put back either.
      const notes = change.blocked === undefined ? conflictNotes(error, about, looking) : {};
      return { ...notes, ...change, fields: objectFields(live, made), ...leaves(looking, live, made) };
    }
    const fields = error.status === 422 ? await fieldsOfStandIn(looking, path, object, live) : [];
    const immutable = immutableFields(error.causes, fields);
    if (immutable === undefined)
      return { blocked: `the API server refuses it: ${plainText(error)}`, ...change, fields };
    return {
      ...change,
      action: 'replace',
      fields,
      immutable,
      blocked: `${immutable.join(', ')} cannot be changed in place, and nothing is deleted to get around that`,
    };
  }
}

/** @param before absent: it is made anew */
export function leaves(
  looking: Pick<Looking, 'leaves'>,
  before: Tree | undefined,
  after: Tree,
): Pick<ObjectChange, 'leaves'> {
  return looking.leaves === true ? { leaves: objectLeaves(before, after) } : {};
}

export function objectKey(kind: string, namespace: string | undefined, name: string): string {
  return `${kind} ${namespace ?? ''}/${name}`;
}

/** What the server would say against an object that is not there yet. */
async function objectionTo(
  { kubernetes, signal }: Looking,
  path: string,
  object: Tree,
): Promise<Pick<ObjectChange, 'blocked'>> {
  try {
    await kubernetes.dryRun(path, object, { manager: HELM_MANAGER }, signal);
    return {};
  } catch (error) {
    // Its namespace is made first.
    if (isNotFound(error)) return {};
    if (error instanceof KubernetesError && [400, 403, 422].includes(error.status))
      return { blocked: `the API server refuses it: ${plainText(error)}` };
    throw error;
  }
}

/** A change that is refused cannot be tried; a new object of the same content can, and has the same defaults. */
async function fieldsOfStandIn(
  { kubernetes, signal }: Looking,
  path: string,
  object: Tree,
  live: KubernetesObject,
): Promise<ObjectChange['fields']> {
  const name = `ananta-plan-${live.metadata.uid.slice(0, 8)}`;
  const standIn = { ...object, metadata: { ...(object['metadata'] as Tree), name } };
  try {
    const made = await kubernetes.dryRun(path.replace(/[^/]+$/, name), standIn, { manager: HELM_MANAGER }, signal);
    return objectFields(live, made).filter(({ path: field, to }) => to !== undefined && !ALLOCATED.test(field));
  } catch (error) {
    if (error instanceof KubernetesError) return [];
    throw error;
  }
}

/** @param adopted the release did not have it before */
function foreign(
  live: KubernetesObject,
  about: { kind: string; namespace?: string; name: string },
  { release, owners }: Pick<Looking, 'release' | 'owners'>,
  adopted: boolean,
): Pick<ObjectChange, 'blocked' | 'note'> {
  const whose = foreignOwner(live, release, owners);
  const owner = ownerOf(live);
  const marked = owner?.name === release.name && owner.namespace === release.namespace;
  if (whose === undefined && (marked || !adopted))
    return adopted ? { note: 'it bears the mark of this release and is taken over' } : {};
  const said =
    whose ??
    (owner === undefined
      ? 'nobody’s Helm release owns it'
      : `it belongs to Helm release ${owner.namespace}/${owner.name}`);
  return {
    blocked: `${said}, so ${adopted ? 'Helm refuses to take it over' : 'nothing is applied over it'}. Move it out of the way; or, if it is to belong to the release: ${waysIn(about, release, live).join('; ')}`,
  };
}

/** What somebody has changed by hand is put back, which the fields show; what a controller decides stops Helm. */
function conflictNotes(
  { causes, message }: KubernetesError,
  object: { kind: string; namespace?: string; name: string },
  { formerly, applier }: Pick<Looking, 'formerly' | 'applier'>,
): Pick<ObjectChange, 'blocked' | 'note'> {
  const conflicts = conflictsOf(causes);
  if (conflicts.length === 0) return { blocked: `a field conflict: ${message}` };
  const { ours, theirs } = decideConflicts(conflicts, object, formerly, applier);
  if (theirs.length === 0) {
    const came = ours.every(({ manager }) => manager === applier);
    return {
      note: came ? `${owners(ours)}, and gives it up: the release was taken over` : `${owners(ours)}: put back`,
    };
  }
  return {
    blocked: `${owners(theirs)}, and nothing is taken from a controller by force: lease it (fields in the environment’s file), or end what writes it`,
  };
}

/** `kubectl owns spec.replicas, spec.paused`. */
function owners(conflicts: readonly Conflict[]): string {
  const managers = [...new Set(conflicts.map(({ manager }) => manager))];
  return `${managers.join(', ')} owns ${conflicts.map(({ field }) => field.replace(/^\./, '')).join(', ')}`;
}

/** Without the values it quotes: they may be long, and nobody knows what they hold. */
function plainText({ message, request }: KubernetesError): string {
  return message
    .replace(`${request}: `, '')
    .replace(/Invalid value: .*?: (?=\S)/gs, '')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300);
}
