// Real: a NodePort that is allocated to nobody is free again as soon as etcd or the API server was started again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pidFileOf } from '../../bootstrap/index.ts';
import { removeFromEtcd } from '../../bootstrap/cluster/node-ports.ts';
import { runningDaemon } from '../../bootstrap/process/daemon.ts';
import { readPorts } from '../../bootstrap/process/ports.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { withEmbedded } from '../support/embedded.ts';

test('leaked NodePorts', async () => {
  await withEmbedded({ name: 'ports' }, async (embedded) => {
    const { layout } = embedded;
    const ports = await readPorts(layout.ports);
    const api = await embedded.api();
    const services = '/api/v1/namespaces/default/services';
    const make = (name: string): Promise<unknown> =>
      api.request('POST', services, {
        type: 'application/json',
        content: {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name },
          spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 31_999 }] },
        },
      });
    const free = embedded.supervise();
    try {
      for (const victim of ['kube-apiserver', 'etcd'] as const) {
        await make(`before-${victim}`);
        // The Service goes without the API server having released its port: the same as one that was never written.
        await removeFromEtcd(ports, `/registry/services/specs/default/before-${victim}`);
        await assert.rejects(make('again'), /provided port is already allocated/);
        process.kill((await runningDaemon(pidFileOf(layout, victim)))!.pid, 'SIGKILL');
        await waitUntil('the port is free', { timeoutMs: 90_000 }, () =>
          make(`after-${victim}`).then(
            () => true as const,
            () => undefined,
          ),
        );
        await api.request('DELETE', `${services}/after-${victim}`);
      }
    } finally {
      await free();
    }
  });
});
