/** Whose an object is that stands where a release of ours has one of the same name. Pure. */
import { ownerOf } from '../diff/manifest.ts';
import { authorOf, managedEntries, ownedPaths } from '../fields/managed.ts';

const HELM = /^helm$/i;
const RELEASE_NAME = 'meta.helm.sh/release-name';

/**
 * Helm's own mark decides; where somebody has taken it off or written over it, whether Helm has ever applied the
 * object.
 * @returns undefined for one of the release; else whose it is, in words
 */
export function foreignOwner(live: unknown, release: { name: string; namespace: string }): string | undefined {
  const owner = ownerOf(live);
  if (owner?.name === release.name && owner.namespace === release.namespace) return undefined;
  const entries = managedEntries(live);
  const ofHelm = entries.filter(({ manager }) => HELM.test(manager));
  const marks = ofHelm.some(({ fieldsV1 }) => ownedPaths(fieldsV1).some((path) => path.includes(RELEASE_NAME)));
  if (owner !== undefined && (marks || ofHelm.length === 0))
    return `it belongs to Helm release ${owner.namespace}/${owner.name}`;
  // A server that keeps no such record tells nothing.
  if (entries.length === 0 || ofHelm.length > 0) return undefined;
  const { by, at } = authorOf(live);
  return `no Helm release has made it${by === undefined ? '' : `, "${by}" has${at === undefined ? '' : ` (${at})`}`}`;
}
