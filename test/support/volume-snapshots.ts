/** The kind VolumeSnapshot on a cluster without a CSI driver, and a controller that says that they are ready. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type KubernetesClient, paths } from '../../src/clients/kubernetes/index.ts';
import { eventually } from './eventually.ts';

const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
/** Of external-snapshotter's definition what is needed: names, the version, what has to be there, the status apart. */
const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'volumesnapshots.snapshot.storage.k8s.io',
    // Kinds below k8s.io are taken only with their approval.
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-csi/external-snapshotter/pull/814' },
  },
  spec: {
    group: 'snapshot.storage.k8s.io',
    names: {
      kind: 'VolumeSnapshot',
      listKind: 'VolumeSnapshotList',
      plural: 'volumesnapshots',
      singular: 'volumesnapshot',
    },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['source'],
                properties: {
                  source: {
                    type: 'object',
                    properties: {
                      persistentVolumeClaimName: { type: 'string' },
                      volumeSnapshotContentName: { type: 'string' },
                    },
                  },
                  volumeSnapshotClassName: { type: 'string' },
                },
              },
              status: free,
            },
          },
        },
      },
    ],
  },
};

export async function defineVolumeSnapshots(kubernetes: KubernetesClient): Promise<void> {
  await kubernetes.create(paths.customResourceDefinitions(), DEFINITION);
  await eventually(() => kubernetes.list(paths.volumeSnapshots('default')));
}

/** Says so of each a moment after it was made, until the signal fires. */
export async function serveVolumeSnapshots(
  kubernetes: KubernetesClient,
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { items } = await kubernetes.list(paths.volumeSnapshots(namespace));
    for (const item of items.filter((one) => one['status'] === undefined))
      await kubernetes.replace(`${paths.volumeSnapshot(namespace, item.metadata.name)}/status`, {
        ...item,
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshot',
        status: { readyToUse: true, restoreSize: '1Gi' },
      });
    await sleep(100);
  }
}
