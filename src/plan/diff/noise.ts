/** What the API server and its controllers write into every object, and what no rendering decides. */
import { isTree, type Tree } from '../../environment/files/merge.ts';

const METADATA = [
  'managedFields',
  'resourceVersion',
  'generation',
  'uid',
  'creationTimestamp',
  'selfLink',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
];
const ANNOTATIONS = [
  'deployment.kubernetes.io/revision',
  'kubectl.kubernetes.io/last-applied-configuration',
  'kubectl.kubernetes.io/restartedAt',
];
/** Of a Job: made anew for each, by its controller. */
const JOB_LABELS = ['controller-uid', 'job-name', 'batch.kubernetes.io/controller-uid', 'batch.kubernetes.io/job-name'];

/** A copy without them. */
export function withoutNoise(object: Tree): Tree {
  const { status: _status, metadata, ...rest } = object;
  const found = isTree(metadata) ? metadata : {};
  const kept = without(found, METADATA);
  const annotations = isTree(kept['annotations']) ? without(kept['annotations'], ANNOTATIONS) : undefined;
  const clean: Tree = { ...rest, metadata: { ...kept, ...(annotations === undefined ? {} : { annotations }) } };
  return object['kind'] === 'Job' ? withoutJobNoise(clean) : clean;
}

function withoutJobNoise(job: Tree): Tree {
  const spec = treeAt(job, 'spec');
  const template = treeAt(spec, 'template');
  const metadata = treeAt(template, 'metadata');
  const own = (tree: Tree): Tree => ({
    ...tree,
    ...(isTree(tree['labels']) ? { labels: without(tree['labels'], JOB_LABELS) } : {}),
  });
  return {
    ...job,
    metadata: own(treeAt(job, 'metadata')),
    spec: {
      ...without(spec, ['selector']),
      template: { ...template, metadata: own(without(metadata, ['creationTimestamp'])) },
    },
  };
}

function without(tree: Tree, keys: readonly string[]): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([key]) => !keys.includes(key)));
}

function treeAt(tree: Tree, key: string): Tree {
  const found = tree[key];
  return isTree(found) ? found : {};
}
