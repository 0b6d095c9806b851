/** The one pod of a database server, `ns/db-0`, running and ready. */
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import type { FakeParts } from '../../support/fakes/clients.ts';

export function putServerPod({ cluster }: Pick<FakeParts, 'cluster'>, volumes?: readonly unknown[]): void {
  const pod: KubernetesObject = {
    metadata: {
      name: 'db-0',
      namespace: 'ns',
      uid: 'pod',
      resourceVersion: '1',
      labels: { 'app.kubernetes.io/instance': 'db' },
    },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    spec: { containers: [], ...(volumes === undefined ? {} : { volumes }) },
  };
  cluster.objects.set('/api/v1/namespaces/ns/pods/db-0', pod);
}
