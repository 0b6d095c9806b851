/** What Helm itself writes onto every object of a release. */
import { isTree, type Tree } from '../../environment/merge.ts';

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
