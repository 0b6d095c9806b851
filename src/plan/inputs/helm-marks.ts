/** Helm's marks: what it writes onto every object of a release, and what it heeds. */
import { isTree, type Tree } from '../../environment/files/merge.ts';

/** With `keep`, Helm leaves the object when its release goes or no longer has it; Helm asks the object itself. */
export const RESOURCE_POLICY = 'helm.sh/resource-policy';

/** The object as Helm applies it: without these marks a comparison would show them as taken away. */
export function asHelmApplies(object: Tree, release: { name: string; namespace: string }): Tree {
  const metadata = treeOf(object['metadata']);
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...treeOf(metadata['labels']), 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        ...treeOf(metadata['annotations']),
        'meta.helm.sh/release-name': release.name,
        'meta.helm.sh/release-namespace': release.namespace,
      },
    },
  };
}

/** The value where it is an object, an empty one otherwise. */
export function treeOf(value: unknown): Tree {
  return isTree(value) ? value : {};
}
