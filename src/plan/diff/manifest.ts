/** Rendered YAML as objects, the way Helm applies them. */
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { RESOURCE_POLICY, treeOf } from '../inputs/helm-marks.ts';
import { kubernetesDocuments } from '../inputs/kubernetes-yaml.ts';

export interface ManifestObject {
  apiVersion: string;
  kind: string;
  name: string;
  /** As it says itself; an object without one belongs to the release's namespace, or to the cluster. */
  namespace?: string;
  /** From the chart's `crds` folder: made where it is missing, never changed afterwards. */
  definition: boolean;
  object: Tree;
}

/** What `helm template` prints above each document. */
const SOURCE = /^# Source: (.+)$/m;

/**
 * @param text YAML documents, as `helm template` prints or Helm records them
 * @throws Error when a document is no object with a kind and a name
 */
export function manifestObjects(text: string): ManifestObject[] {
  let source = '';
  return kubernetesDocuments(text).flatMap((document): ManifestObject[] => {
    source =
      SOURCE.exec(
        [document.commentBefore, document.contents?.commentBefore].map((comment) => `#${comment ?? ''}`).join('\n'),
      )?.[1] ?? source;
    const value: unknown = document.toJS();
    if (value === null || value === undefined) return [];
    const metadata = isTree(value) ? value['metadata'] : undefined;
    if (
      !isTree(value) ||
      typeof value['kind'] !== 'string' ||
      typeof value['apiVersion'] !== 'string' ||
      !isTree(metadata) ||
      typeof metadata['name'] !== 'string'
    ) {
      throw new Error(
        `${source === '' ? 'A document' : source} is no Kubernetes object: it lacks apiVersion, kind or metadata.name.`,
      );
    }
    const { kind, apiVersion } = value;
    const namespace = metadata['namespace'];
    return [
      {
        apiVersion,
        kind,
        name: metadata['name'],
        ...(typeof namespace === 'string' ? { namespace } : {}),
        definition: kind === 'CustomResourceDefinition' && /(^|\/)crds\//.test(source),
        object: value,
      },
    ];
  });
}

/** Which release an object says that it belongs to; undefined when it belongs to none. */
export function ownerOf(object: unknown): { name: string; namespace: string } | undefined {
  const annotations = treeOf(treeOf(treeOf(object)['metadata'])['annotations']);
  const [name, namespace] = [annotations['meta.helm.sh/release-name'], annotations['meta.helm.sh/release-namespace']];
  return typeof name === 'string' && typeof namespace === 'string' ? { name, namespace } : undefined;
}

/** The chart asks Helm to leave it when the release goes, or no longer has it. */
export function isKept(object: unknown): boolean {
  return treeOf(treeOf(treeOf(object)['metadata'])['annotations'])[RESOURCE_POLICY] === 'keep';
}
