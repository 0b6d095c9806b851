/**
 * The provisioner of volumes on the real node: a folder for each claim. Volumes are of the kind `local`, because
 * kubelet hands those to the pod's group, as it does with disks. A folder is removed when its claim was deleted, never
 * otherwise: that it is not wanted follows from the volume's object being released, and from nothing that is merely
 * missing.
 */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { type Api, ApiError } from '../../cluster/api.ts';
import { PROVISIONER, REAL_LABEL, REAL_STORAGE_CLASS, REAL_VALUE } from '../labels.ts';

const claimsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        namespace: z.string(),
        uid: z.string(),
        deletionTimestamp: z.string().nullish(),
      }),
      spec: z.object({
        storageClassName: z.string().nullish(),
        volumeName: z.string().nullish(),
        volumeMode: z.string().nullish(),
        accessModes: z.array(z.string()),
        resources: z.object({ requests: z.object({ storage: z.string() }) }),
      }),
      status: z
        .object({ phase: z.string().nullish(), capacity: z.object({ storage: z.string().nullish() }).nullish() })
        .nullish(),
    }),
  ),
});
type Claim = z.infer<typeof claimsSchema>['items'][number];

const volumesSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({
        storageClassName: z.string().nullish(),
        persistentVolumeReclaimPolicy: z.string().nullish(),
        local: z.object({ path: z.string() }).nullish(),
      }),
      status: z.object({ phase: z.string().nullish() }).nullish(),
    }),
  ),
});

/** What one look did, in words. */
export async function settleVolumes(api: Pick<Api, 'request'>, root: string): Promise<string[]> {
  const said: string[] = [];
  const claims = claimsSchema.parse(await api.request('GET', '/api/v1/persistentvolumeclaims'));
  for (const claim of claims.items) {
    const { metadata, spec } = claim;
    if (spec.storageClassName !== REAL_STORAGE_CLASS || metadata.deletionTimestamp) continue;
    if (spec.volumeName) {
      const grown = await resize(api, claim);
      if (grown !== undefined) said.push(`${metadata.namespace}/${metadata.name} has ${grown} now`);
      continue;
    }
    if (await makeVolume(api, root, claim)) said.push(`made a volume for ${metadata.namespace}/${metadata.name}`);
  }
  const volumes = volumesSchema.parse(await api.request('GET', '/api/v1/persistentvolumes'));
  for (const { metadata, spec, status } of volumes.items) {
    if (
      spec.storageClassName !== REAL_STORAGE_CLASS ||
      status?.phase !== 'Released' ||
      spec.persistentVolumeReclaimPolicy !== 'Delete'
    )
      continue;
    const path = spec.local?.path ?? '';
    // Somebody else's volume of this class may be in any folder.
    if (dirname(path) !== root || basename(path) !== metadata.name) continue;
    await rm(path, { recursive: true, force: true });
    await api.request('DELETE', `/api/v1/persistentvolumes/${metadata.name}`);
    said.push(`removed the volume ${metadata.name}, whose claim was deleted`);
  }
  return said;
}

/**
 * A folder has no size, and the disk below it is the node's: what was asked for is noted on volume and claim, as a
 * driver does that grows a mounted volume.
 * @returns the new size; undefined where nothing has changed
 */
async function resize(api: Pick<Api, 'request'>, { metadata, spec, status }: Claim): Promise<string | undefined> {
  const { storage } = spec.resources.requests;
  if (status?.phase !== 'Bound' || status.capacity?.storage === storage) return undefined;
  const patch = (path: string, content: unknown): Promise<unknown> =>
    api.request('PATCH', path, { type: 'application/merge-patch+json', content });
  await patch(`/api/v1/persistentvolumes/${spec.volumeName ?? ''}`, { spec: { capacity: { storage } } });
  await patch(`/api/v1/namespaces/${metadata.namespace}/persistentvolumeclaims/${metadata.name}/status`, {
    status: { capacity: { storage } },
  });
  return storage;
}

/** @returns false where it is there already: the real controller has not bound it yet */
async function makeVolume(api: Pick<Api, 'request'>, root: string, claim: Claim): Promise<boolean> {
  const { metadata } = claim;
  const name = `${metadata.namespace}-${metadata.name}-${metadata.uid.slice(0, 8)}`;
  const path = join(root, name);
  await mkdir(path, { recursive: true });
  // Like an empty disk's top folder; kubelet gives it to the pod's group.
  await chmod(path, 0o777);
  try {
    await api.request('POST', '/api/v1/persistentvolumes', {
      type: 'application/json',
      content: volumeOf(claim, name, path),
    });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return false;
    throw error;
  }
}

function volumeOf({ metadata, spec }: Claim, name: string, path: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': PROVISIONER } },
    spec: {
      accessModes: spec.accessModes,
      capacity: { storage: spec.resources.requests.storage },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: REAL_STORAGE_CLASS,
      volumeMode: spec.volumeMode ?? 'Filesystem',
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
      },
      local: { path },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: REAL_LABEL, operator: 'In', values: [REAL_VALUE] }] }],
        },
      },
    },
  };
}
