/** Objects that are larger than the cluster keeps: etcd refuses them when half of a release is applied. Pure. */
import { isTree, type Tree } from '../../environment/files/merge.ts';
import type { ManifestObject } from '../diff/manifest.ts';

/** etcd's own limit of a request, which clusters seldom raise. */
const MOST_BYTES = 1.5 * 1024 * 1024;
/** The values of a ConfigMap or a Secret together. */
const MOST_DATA_BYTES = 1024 * 1024;
/** Kinds of others are kept as JSON, Kubernetes' own in a form without names of fields. */
const KEPT_AS_JSON = /\.[^./]+\/[^/]+$/;
const OWN_GROUPS = /\.k8s\.io\//;

/** @returns what is wrong with the size of an object; nothing where it may fit */
export function objectSizeProblem({ apiVersion, kind, object }: ManifestObject): string | undefined {
  if (kind === 'ConfigMap' || kind === 'Secret') {
    const data = ['data', 'binaryData', 'stringData'].map((part) => object[part]).filter(isTree);
    // What is base64 is kept as it was before.
    const bytes = data.reduce((sum, part) => sum + textBytes(part) * (kind === 'Secret' ? 3 / 4 : 1), 0);
    if (bytes > MOST_DATA_BYTES) return `has ${kib(bytes)} of data, and Kubernetes keeps ${kib(MOST_DATA_BYTES)}`;
  }
  const isJson = KEPT_AS_JSON.test(apiVersion) && !OWN_GROUPS.test(apiVersion);
  const bytes = isJson ? Buffer.byteLength(JSON.stringify(object)) : textBytes(object);
  return bytes > MOST_BYTES ? `has ${kib(bytes)}, and etcd keeps ${kib(MOST_BYTES)} for an object` : undefined;
}

/** Its texts alone: what it has at least, in whatever form it is kept. */
function textBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + textBytes(one), 0);
  return isTree(value) ? Object.values<Tree[string]>(value).reduce((sum: number, one) => sum + textBytes(one), 0) : 0;
}

function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}
