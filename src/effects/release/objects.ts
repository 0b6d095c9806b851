/**
 * Before Helm applies over what a revision has applied before: it looks at whose an object is only where the revision
 * did not have it, and takes over, by force in a rollback, what somebody has put in the place of one that is gone.
 */
import { DeployError } from '../../contract/errors.ts';
import type { StoredRelease } from '../../clients/helm/index.ts';
import {
  isForbidden,
  isNotFound,
  type Kinds,
  type KubernetesClient,
  pathOfKind,
} from '../../clients/kubernetes/index.ts';
import { FAILURES } from '../../contract/failures.ts';
import { type ManifestObject, manifestObjects } from '../../plan/diff/manifest.ts';
import { foreignOwner, type Owners, waysIn } from '../../plan/ownership/foreign-object.ts';

interface InTheWay {
  kind: string;
  namespace?: string;
  name: string;
  /** In words. */
  whose: string;
  live: unknown;
}

type Looking = Pick<KubernetesClient, 'list' | 'kinds'>;

const KINDS_MILLISECONDS = 60_000;
const recent = new WeakMap<Looking, { at: number; kinds: Promise<Kinds> }>();

/**
 * One look at each kind of the revision's objects, names and marks only.
 * @param owners names of environments that may stand on them
 * @throws DeployError NotOurs
 */
export async function assertObjectsOurs(
  kubernetes: Looking,
  { manifest, name, namespace }: Pick<StoredRelease, 'manifest' | 'name' | 'namespace'>,
  owners: Owners,
  signal: AbortSignal,
): Promise<void> {
  const { kinds } = await recentKinds(kubernetes, signal);
  const groups = Map.groupBy(
    manifestObjects(manifest),
    (object) => `${object.apiVersion} ${object.kind} ${object.namespace ?? ''}`,
  );
  const foreign = await Promise.all([...groups.values()].map((objects) => inTheWay(objects)));
  const found = foreign.flat();
  if (found.length === 0) return;
  const named = found.map(({ kind, name: object, whose }) => `${kind} ${object} (${whose})`).join('; ');
  throw new DeployError(
    FAILURES.notOurs,
    [
      `${found.length === 1 ? 'An object that' : 'Objects that'} release ${name} in ${namespace} would write ${
        found.length === 1 ? 'is' : 'are'
      } not ours: ${named}. Nothing of the release was changed. Move what is somebody else's out of the way; or, if it is to belong to the release, give it to it; then run the same again:`,
      ...found.flatMap((object) => waysIn(object, { name, namespace }, object.live).map((line) => `  ${line}`)),
    ].join('\n'),
  );

  async function inTheWay(objects: readonly ManifestObject[]): Promise<InTheWay[]> {
    const [{ apiVersion, kind, namespace: within }] = objects as [ManifestObject];
    const [version = '', group = ''] = apiVersion.split('/').reverse();
    const known = kinds.find((one) => one.group === group && one.kind === kind);
    if (known === undefined) return [];
    const [only] = objects.length === 1 ? objects : [];
    try {
      const { items } = await kubernetes.list(
        pathOfKind({ ...known, version }, within ?? namespace),
        { metadataOnly: true, ...(only === undefined ? {} : { fieldSelector: `metadata.name=${only.name}` }) },
        signal,
      );
      return objects.flatMap((object) => {
        const live = items.find(({ metadata }) => metadata.name === object.name);
        const whose = live === undefined ? undefined : foreignOwner(live, { name, namespace }, owners);
        if (whose === undefined) return [];
        const where = known.namespaced ? (within ?? namespace) : undefined;
        return [{ kind, name: object.name, whose, live, ...(where === undefined ? {} : { namespace: where }) }];
      });
    } catch (error) {
      // Its definition has gone, or we may not look: then Helm may not write it either, or says so itself.
      if (isNotFound(error) || isForbidden(error)) return [];
      throw error;
    }
  }
}

/** What an API server serves changes seldom. */
function recentKinds(kubernetes: Looking, signal: AbortSignal): Promise<Kinds> {
  const known = recent.get(kubernetes);
  if (known !== undefined && Date.now() - known.at < KINDS_MILLISECONDS) return known.kinds;
  const kinds = kubernetes.kinds(signal);
  recent.set(kubernetes, { at: Date.now(), kinds });
  kinds.catch(() => recent.delete(kubernetes));
  return kinds;
}
