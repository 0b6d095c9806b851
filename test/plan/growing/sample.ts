/** A StatefulSet with a claim template, and the claims that its controller has made. */
import { manifestObjects, type ManifestObject } from '../../../src/plan/diff/manifest.ts';

export interface SetOptions {
  size?: string;
  name?: string;
  storageClass?: string;
  serviceName?: string;
  template?: string;
}

export function setManifest({
  size = '1Gi',
  name = 'db',
  storageClass,
  serviceName,
  template = 'data',
}: SetOptions = {}): string {
  return `---
# Source: x/templates/release.yaml
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: ${name}
spec:
  serviceName: ${serviceName ?? `${name}-headless`}
  selector:
    matchLabels: {app.kubernetes.io/instance: db}
  volumeClaimTemplates:
    - metadata:
        name: ${template}
      spec:
        accessModes: [ReadWriteOnce]
        ${storageClass === undefined ? '' : `storageClassName: ${storageClass}`}
        resources:
          requests:
            storage: ${size}
`;
}

export const objectsOf = (...manifests: string[]): ManifestObject[] => manifests.flatMap(manifestObjects);

/** As the API server has it: with what it defaults. */
export function liveSet(options: SetOptions = {}): Record<string, unknown> {
  const { spec, ...rest } = objectsOf(setManifest(options))[0]!.object as {
    spec: { volumeClaimTemplates: { spec: object }[] };
  };
  return {
    ...rest,
    spec: {
      ...spec,
      podManagementPolicy: 'OrderedReady',
      volumeClaimTemplates: spec.volumeClaimTemplates.map((template) => ({
        ...template,
        kind: 'PersistentVolumeClaim',
        apiVersion: 'v1',
        spec: { ...template.spec, volumeMode: 'Filesystem' },
        status: { phase: 'Pending' },
      })),
    },
  };
}

export interface ClaimOptions {
  name?: string;
  request?: string;
  capacity?: string;
  phase?: string;
  labels?: Record<string, string>;
  conditions?: { type: string; message?: string }[];
  resizing?: string;
}

export function liveClaim({
  name = 'data-db-0',
  request = '1Gi',
  capacity = request,
  phase = 'Bound',
  labels = {},
  conditions = [],
  resizing,
}: ClaimOptions = {}): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name,
      namespace: 'data',
      uid: `uid-${name}`,
      resourceVersion: '1',
      labels: { 'app.kubernetes.io/instance': 'db', ...labels },
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      volumeName: 'pv',
      resources: { requests: { storage: request } },
    },
    status: {
      phase,
      ...(phase === 'Bound' ? { capacity: { storage: capacity } } : {}),
      ...(resizing === undefined ? {} : { allocatedResourceStatuses: { storage: resizing } }),
      conditions: conditions.map((one) => ({ status: 'True', ...one })),
    },
  };
}

export const claimManifest = (size: string, name = 'files'): string => `---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ${name}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: ${size}}}}
`;
