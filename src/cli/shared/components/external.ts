/** The parts of an environment that run elsewhere, asked from here. */
import { createKubernetesClient } from '../../../clients/kubernetes/index.ts';
import { closeTemporal, connectTemporal, pollersOf } from '../../../clients/temporal/index.ts';
import type { Config } from '../../../config.ts';
import { taskQueueOf } from '../../../contract/names.ts';
import { resolveConnections } from '../../../environment/connections.ts';
import type { Environment } from '../../../environment/schema.ts';
import type { Component } from './components.ts';
import { count } from '../format.ts';

/** Engine, worker and API server as far as they are external; each is asked once and never touched. */
export async function externalComponents(environment: Environment, config: Config): Promise<Component[]> {
  const connections = await resolveConnections(environment, config).catch((error: unknown) => reason(error));
  const unknown = (name: string, detail: string): Component => ({
    name,
    version: null,
    pid: null,
    port: null,
    healthy: false,
    detail,
  });
  const external = [
    ...('embedded' in environment.engine ? [] : ['temporal', 'worker']),
    ...('embedded' in environment.cluster ? [] : ['kube-apiserver']),
  ];
  if (typeof connections === 'string') return external.map((name) => unknown(name, connections));
  const [engine, cluster] = await Promise.all([
    'embedded' in environment.engine ? [] : askEngine(connections.engine, taskQueueOf(environment.name)),
    'embedded' in environment.cluster ? [] : askCluster(connections.kubernetes),
  ]);
  return [...engine, ...cluster];
}

async function askEngine(engine: Parameters<typeof connectTemporal>[0], taskQueue: string): Promise<Component[]> {
  const base = { version: null, pid: null, port: portOf(`tcp://${engine.address}`) };
  const place = engine.tunnel === undefined ? 'external' : 'in the cluster';
  try {
    const client = await connectTemporal(engine, 5);
    try {
      const { serverVersion } = await client.workflowService.getSystemInfo({});
      const pollers = await pollersOf(client, taskQueue);
      return [
        {
          ...base,
          name: 'temporal',
          version: serverVersion || null,
          healthy: true,
          detail: `${place}, ${engine.address}, namespace ${engine.namespace}`,
        },
        {
          ...base,
          name: 'worker',
          port: null,
          healthy: pollers > 0,
          detail:
            pollers > 0
              ? `${count(pollers, 'worker')} at task queue ${taskQueue}`
              : `nobody polls task queue ${taskQueue}`,
        },
      ];
    } finally {
      await closeTemporal(client);
    }
  } catch (error) {
    return [
      { ...base, name: 'temporal', healthy: false, detail: `${place}, ${engine.address}: ${reason(error)}` },
      { ...base, name: 'worker', port: null, healthy: false, detail: 'unknown while the engine does not answer' },
    ];
  }
}

async function askCluster(connection: Parameters<typeof createKubernetesClient>[0]): Promise<Component[]> {
  const base = { name: 'kube-apiserver', version: null, pid: null, port: null };
  try {
    const kubernetes = createKubernetesClient(connection);
    try {
      const uid = await kubernetes.clusterUid();
      return [
        {
          ...base,
          port: portOf(kubernetes.server),
          healthy: true,
          detail: `external, ${kubernetes.server}, kube-system uid ${uid}`,
        },
      ];
    } catch (error) {
      return [
        {
          ...base,
          port: portOf(kubernetes.server),
          healthy: false,
          detail: `external, ${kubernetes.server}: ${reason(error)}`,
        },
      ];
    } finally {
      kubernetes.close();
    }
  } catch (error) {
    return [{ ...base, healthy: false, detail: reason(error) }];
  }
}

function portOf(address: string): number | null {
  const port = URL.canParse(address) ? new URL(address).port : '';
  return port === '' ? null : Number(port);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
