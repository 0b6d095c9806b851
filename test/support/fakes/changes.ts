/** Changes of objects that are there, as an API server carries them out, or refuses them. */
import {
  type JsonPatchOperation,
  KubernetesError,
  type KubernetesObject,
} from '../../../src/clients/kubernetes/index.ts';
import { isTree, mergeTrees, type Tree } from '../../../src/environment/files/merge.ts';
import { valueAtPath } from '../../../src/plan/fields/path.ts';
import { compareSizes } from '../../../src/plan/growing/live.ts';

/** By JSON patch: `test` and `replace` are all that is asked for. */
export function patched(
  path: string,
  known: KubernetesObject,
  operations: readonly JsonPatchOperation[],
): KubernetesObject {
  const copy = structuredClone(known);
  for (const { op, path: pointer, value } of operations) {
    const parts = pointer.split('/').slice(1);
    const holder = valueAtPath(copy, parts.slice(0, -1));
    const part = parts.at(-1)!;
    if (!isTree(holder)) throw new KubernetesError(`PATCH ${path}`, 422, 'Invalid', `there is no ${pointer}`);
    if (op === 'test' && holder[part] !== value)
      throw new KubernetesError(`PATCH ${path}`, 422, 'Invalid', `the test of ${pointer} failed`);
    if (op === 'replace') holder[part] = value;
  }
  return copy;
}

export function mergedInto(known: KubernetesObject | undefined, object: unknown): unknown {
  return known === undefined ? object : mergeTrees(known, object as Tree);
}

const REQUEST = ['spec', 'resources', 'requests', 'storage'];

/** What validation and admission say against the next state of an object. */
export function refuseChange(objects: ReadonlyMap<string, KubernetesObject>, path: string, next: unknown): void {
  const known = objects.get(path);
  if (known === undefined) return;
  const refuse = (status: number, reason: string, message: string): never => {
    throw new KubernetesError(`PATCH ${path}`, status, reason, message, [{ field: 'spec', message }]);
  };
  const [, kind, name = ''] = /\/(persistentvolumeclaims|statefulsets)\/([^/]+)$/.exec(path) ?? [];
  if (kind === 'statefulsets') {
    const templates = ['spec', 'volumeClaimTemplates'];
    if (JSON.stringify(valueAtPath(known, templates)) !== JSON.stringify(valueAtPath(next, templates)))
      refuse(
        422,
        'Invalid',
        `StatefulSet.apps "${name}" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden`,
      );
  }
  if (kind !== 'persistentvolumeclaims') return;
  const [before, after] = [String(valueAtPath(known, REQUEST)), String(valueAtPath(next, REQUEST))];
  if (before === after) return;
  if (valueAtPath(known, ['status', 'phase']) !== 'Bound')
    refuse(
      422,
      'Invalid',
      `PersistentVolumeClaim "${name}" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims`,
    );
  const capacity = String(valueAtPath(known, ['status', 'capacity', 'storage']));
  if (compareSizes(after, before) < 0 && compareSizes(after, capacity) <= 0)
    refuse(
      422,
      'Invalid',
      `PersistentVolumeClaim "${name}" is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity`,
    );
  const storageClass = objects.get(
    `/apis/storage.k8s.io/v1/storageclasses/${String(valueAtPath(known, ['spec', 'storageClassName']))}`,
  );
  if (storageClass?.['allowVolumeExpansion'] !== true)
    refuse(
      403,
      'Forbidden',
      `persistentvolumeclaims "${name}" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize`,
    );
}

/** As the garbage collector does for `propagationPolicy: Orphan`. */
export function disown(
  { objects, watched }: { objects: Map<string, KubernetesObject>; watched: Map<string, KubernetesObject> },
  uid: string,
): void {
  for (const { metadata } of [...objects.values(), ...watched.values()]) {
    const owners = metadata['ownerReferences'];
    if (Array.isArray(owners))
      metadata['ownerReferences'] = owners.filter((owner: unknown) => valueAtPath(owner, ['uid']) !== uid);
  }
}
