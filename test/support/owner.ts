/** The owner record of a cluster, as it lies there. */
import type { KubernetesObject } from '../../src/clients/kubernetes/index.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, OWNER_LABEL, RECORDS_NAMESPACE } from '../../src/contract/names.ts';
import { type ClusterOwner, OWNER_RECORD } from '../../src/contract/owner.ts';

export const OWNER_PATH = `/api/v1/namespaces/${RECORDS_NAMESPACE}/configmaps/${OWNER_RECORD.name}`;

export function ownerOfCluster(over: Partial<ClusterOwner> = {}): ClusterOwner {
  return {
    environment: 'sandbox',
    platform: 'ananta',
    protected: false,
    cluster: { uid: 'uid' },
    boundBy: 'tester@host',
    at: '2026-01-01T00:00:00.000Z',
    formerly: [],
    ...over,
  };
}

/** @returns path and object */
export function ownerRecord(over: Partial<ClusterOwner> = {}): [string, KubernetesObject] {
  const metadata = {
    name: OWNER_RECORD.name,
    namespace: RECORDS_NAMESPACE,
    uid: OWNER_PATH,
    resourceVersion: '1',
    labels: { [MANAGED_BY_LABEL]: MANAGED_BY, [OWNER_LABEL]: over.environment ?? 'sandbox' },
  };
  return [OWNER_PATH, { metadata, data: { [OWNER_RECORD.key]: JSON.stringify(ownerOfCluster(over)) } }];
}

/** What the record says now. */
export function ownerIn(objects: ReadonlyMap<string, KubernetesObject>): ClusterOwner | undefined {
  const data = objects.get(OWNER_PATH)?.['data'] as Record<string, string> | undefined;
  return data && (JSON.parse(data[OWNER_RECORD.key] ?? 'null') as ClusterOwner);
}
