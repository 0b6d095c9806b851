/**
 * A revision that is gone back to, and what has grown since: volumes never shrink, so its manifest gets the sizes that
 * are there. Helm records it as it is applied, so drift sees no difference. Pure.
 */
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { kubernetesDocuments, kubernetesText } from '../inputs/kubernetes-yaml.ts';
import { treeOf } from '../inputs/helm-marks.ts';
import { compareSizes, type SeenClaim, seenClaim, type SeenSet, seenSet } from './live.ts';

export interface Kept {
  /** Byte for byte as it was where nothing is kept. */
  manifest: string;
  /** What stays as it is, one line each. */
  kept: string[];
}

const KINDS = /^kind: ["']?(StatefulSet|PersistentVolumeClaim)["']?\s*$/m;

export function withSizesKept(manifest: string, live: { claims: readonly unknown[]; sets: readonly unknown[] }): Kept {
  const claims = live.claims.flatMap((claim) => seenClaim(claim) ?? []);
  const sets = live.sets.flatMap((set) => seenSet(set) ?? []);
  const kept: string[] = [];
  const documents = manifest.split(/^(?=---(?:\s|$))/m).map((text) => {
    const object: unknown = KINDS.test(text) ? kubernetesDocuments(text)[0]?.toJS() : undefined;
    if (!isTree(object)) return text;
    const copy = structuredClone(object);
    const said = object['kind'] === 'StatefulSet' ? keepTemplates(copy, sets) : keepClaim(copy, claims);
    if (said.length === 0) return text;
    kept.push(...said);
    const source = /^# Source: .*$/m.exec(text)?.[0];
    return `---\n${source === undefined ? '' : `${source}\n`}${kubernetesText(copy)}`;
  });
  return { manifest: kept.length === 0 ? manifest : documents.join(''), kept };
}

/** Whatever the difference is: the API server takes no change of claim templates in place. */
function keepTemplates(object: Tree, sets: readonly SeenSet[]): string[] {
  const wanted = seenSet(object);
  const live = sets.find(({ name }) => name === wanted?.name);
  if (wanted === undefined || live === undefined) return [];
  const templates = treeOf(object['spec'])['volumeClaimTemplates'];
  return (Array.isArray(templates) ? templates : []).flatMap((template: unknown) => {
    const name = String(treeOf(treeOf(template)['metadata'])['name']);
    const [then, now] = [wanted.sizes.get(name), live.sizes.get(name)];
    if (then === undefined || now === undefined || compareSizes(then, now) === 0) return [];
    setSize(template, now);
    const why = compareSizes(then, now) < 0 ? 'volumes never shrink' : 'they grow with a deployment';
    return [`claims ${name} of StatefulSet ${live.name} stay at ${now}, that revision had ${then}: ${why}`];
  });
}

function keepClaim(object: Tree, claims: readonly SeenClaim[]): string[] {
  const wanted = seenClaim(object);
  const live = claims.find(({ name }) => name === wanted?.name);
  if (wanted === undefined || live === undefined || compareSizes(wanted.request, live.request) >= 0) return [];
  setSize(object, live.request);
  return [`claim ${live.name} stays at ${live.request}, that revision had ${wanted.request}: volumes never shrink`];
}

function setSize(holder: unknown, size: string): void {
  const requests = treeOf(treeOf(treeOf(treeOf(holder)['spec'])['resources'])['requests']);
  requests['storage'] = size;
}
