import type { ApiObject } from '../api.ts';
import { type Expression, NOT_DELETED, stage } from './stage.ts';

export const STORAGE_CLASS = 'simulated';
const PROVISIONER = 'simulation.ananta.dev/volume';
/** On the volume behind which there are real data: it goes when they have gone. */
export const STORAGE_FINALIZER = 'simulation.ananta.dev/storage';

export interface ClaimName {
  namespace: string;
  name: string;
}

/** @returns the simulation's own class first, then the one that the environment asks for by name */
export function storageClasses(named?: string): string[] {
  return [...new Set([STORAGE_CLASS, ...(named === undefined ? [] : [named])])];
}

/**
 * Volumes of simulated pods hold nothing: a claim gets a volume that points nowhere, and the real controller binds the
 * two. (Kubernetes' own host-path provisioner would make folders in /tmp.)
 * @param stored the claims that have real data behind them all the same: Vault's
 * @param classes whose claims get one
 */
export function volumeStages(stored: readonly ClaimName[], classes: readonly string[]): ApiObject[] {
  const ours: Expression = { key: '.spec.storageClassName', operator: 'In', values: [...classes] };
  return [
    stage({
      name: 'claim-provision',
      kind: 'PersistentVolumeClaim',
      when: [NOT_DELETED, ours, { key: '.spec.volumeName', operator: 'DoesNotExist' }],
      steps: [
        {
          apply: {
            template: `
apiVersion: v1
kind: PersistentVolume
metadata:
  name: pvc-{{ .metadata.uid }}
${stored.map(({ namespace, name }) => `  {{ if and (eq .metadata.namespace "${namespace}") (eq .metadata.name "${name}") }}finalizers: [${STORAGE_FINALIZER}]{{ end }}`).join('\n')}
  annotations:
    pv.kubernetes.io/provisioned-by: ${PROVISIONER}
spec:
  accessModes:
  {{ YAML .spec.accessModes 1 }}
  capacity:
    storage: {{ .spec.resources.requests.storage | Quote }}
  persistentVolumeReclaimPolicy: Delete
  storageClassName: {{ .spec.storageClassName | Quote }}
  volumeMode: {{ or .spec.volumeMode "Filesystem" | Quote }}
  claimRef:
    apiVersion: v1
    kind: PersistentVolumeClaim
    name: {{ .metadata.name | Quote }}
    namespace: {{ .metadata.namespace | Quote }}
    uid: {{ .metadata.uid | Quote }}
  hostPath:
    path: /simulated/{{ .metadata.namespace }}/{{ .metadata.name }}
`,
          },
        },
      ],
    }),
    // What holds nothing has any size at once.
    stage({
      name: 'claim-resize',
      kind: 'PersistentVolumeClaim',
      when: [
        NOT_DELETED,
        ours,
        { key: '.status.phase', operator: 'In', values: ['Bound'] },
        { key: '.status.capacity.storage != .spec.resources.requests.storage', operator: 'In', values: ['true'] },
      ],
      steps: [
        {
          patch: {
            subresource: 'status',
            template: `
status:
  capacity:
    storage: {{ .spec.resources.requests.storage | Quote }}
`,
          },
        },
      ],
    }),
    stage({
      name: 'volume-delete',
      kind: 'PersistentVolume',
      when: [NOT_DELETED, ours, { key: '.status.phase', operator: 'In', values: ['Released'] }],
      steps: [{ delete: true }],
    }),
  ];
}

export function storageClass(name: string): ApiObject {
  const isDefault = name === STORAGE_CLASS;
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name,
      ...(isDefault ? { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } : {}),
    },
    provisioner: PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
    allowVolumeExpansion: true,
  };
}
