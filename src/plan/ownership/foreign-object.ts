/** Whose an object is that stands where a release of ours has one of the same name. Pure. */
import { OWNER_LABEL } from '../../contract/names.ts';
import { ownerOf } from '../diff/manifest.ts';
import { authorOf, managedEntries, ownedPaths } from '../fields/managed.ts';
import { treeOf } from '../inputs/helm-marks.ts';
import { isOfAnother } from './owner-label.ts';

/** Names of environments: the one whose things they are, then those that it took the cluster over from. */
export type Owners = readonly [string, ...string[]];

const HELM = /^helm$/i;
const RELEASE_NAME = 'meta.helm.sh/release-name';

/**
 * The name of another environment decides, whatever else it looks like; then Helm's own mark; where somebody has taken
 * that off or written over it, whether Helm has ever applied the object.
 * @param owners name of the environment whose release it is, then those that it took the cluster over from
 * @returns undefined for one of the release; else whose it is, in words
 */
export function foreignOwner(
  live: unknown,
  release: { name: string; namespace: string },
  [environment, ...formerly]: Owners,
): string | undefined {
  const labels = labelsOf(live);
  if (isOfAnother(labels, environment, formerly)) return `it carries the name of environment "${labels[OWNER_LABEL]}"`;
  const owner = ownerOf(live);
  if (owner?.name === release.name && owner.namespace === release.namespace) return undefined;
  const entries = managedEntries(live);
  const ofHelm = entries.filter(({ manager }) => HELM.test(manager));
  const marks = ofHelm.some(({ fieldsV1 }) => ownedPaths(fieldsV1).some((path) => path.includes(RELEASE_NAME)));
  if (owner !== undefined && (marks || ofHelm.length === 0))
    return `it belongs to Helm release ${owner.namespace}/${owner.name}`;
  // A server that keeps no such record gives no answer.
  if (entries.length === 0 || ofHelm.length > 0) return undefined;
  const { by, at } = authorOf(live);
  return `no Helm release has made it${by === undefined ? '' : `, "${by}" has${at === undefined ? '' : ` (${at})`}`}`;
}

function labelsOf(live: unknown): Record<string, string> {
  return treeOf(treeOf(treeOf(live)['metadata'])['labels']) as Record<string, string>;
}

/** What gives an object of somebody else to a release, for whoever has made sure that it is to be so. */
export function waysIn(
  object: { kind: string; namespace?: string | undefined; name: string },
  release: { name: string; namespace: string },
  live: unknown,
): string[] {
  const { kind, namespace, name } = object;
  const which = namespace === undefined ? '' : `--namespace ${namespace} `;
  const what = `${kind.toLowerCase()} ${name}`;
  const labelled = labelsOf(live)[OWNER_LABEL] !== undefined;
  return [
    `kubectl ${which}label ${what} --overwrite app.kubernetes.io/managed-by=Helm${labelled ? ` ${OWNER_LABEL}-` : ''}`,
    `kubectl ${which}annotate ${what} --overwrite meta.helm.sh/release-name=${release.name} meta.helm.sh/release-namespace=${release.namespace}`,
  ];
}
