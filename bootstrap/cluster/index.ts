/** The embedded Kubernetes control plane with simulated nodes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Component, daemonSpec } from '../component.ts';
import type { Layout } from '../layout.ts';
import { GO_MEMORY } from '../process/go.ts';
import { LOOPBACK, type Ports, readPorts } from '../process/ports.ts';
import { expectOk } from '../process/probe.ts';
import { type Api, createApi } from './api.ts';
import { type ClusterComponentName, type ClusterTools, apiServerAddress } from './config.ts';
import { type RecordedComponent, pkiFolder } from './create.ts';
import { forgetNodePorts } from './node-ports.ts';

export type { Api } from './api.ts';
export { requeueOverdueClaims } from './claims.ts';
export { CLUSTER_COMPONENTS, CLUSTER_PORTS, CLUSTER_TOOLS, type ClusterTools, apiServerAddress } from './config.ts';
export { clusterDigest, createCluster, pkiFolder, recordedComponents, tellKwokctl } from './create.ts';
export { simulatedNode } from './objects.ts';
export { requeueOverduePods } from './overdue-pods.ts';
export { probeSimulator } from './simulator-probe.ts';
export { RELEASE_FAILURES, type ReleaseFailure, clearFailure, failRelease } from './failures.ts';

/** The API server of an environment whose ports are chosen already. @throws when the cluster was never made */
export async function openApi(layout: Layout): Promise<Api> {
  return createApi(apiServerAddress(await readPorts(layout.ports)), pkiFolder(layout));
}

const TOOL_OF: Record<ClusterComponentName, keyof ClusterTools> = {
  etcd: 'etcd',
  'kube-apiserver': 'kube-apiserver',
  'kube-controller-manager': 'kube-controller-manager',
  'kube-scheduler': 'kube-scheduler',
  'kwok-controller': 'kwok',
};

/** These end by themselves when an API server that is slow to come up keeps them waiting. */
const GIVES_UP: readonly ClusterComponentName[] = ['kube-controller-manager', 'kube-scheduler', 'kwok-controller'];
const RESTARTS = 3;

/** One component as kwokctl recorded it. */
export function clusterComponent(
  layout: Layout,
  tools: ClusterTools,
  ports: Ports,
  recorded: RecordedComponent,
): Component {
  const name = recorded.name as ClusterComponentName;
  const port = ports[name] as number;
  return {
    name,
    standstillMs: 60_000,
    restarts: GIVES_UP.includes(name) ? RESTARTS : 0,
    graceMs: 10_000,
    // Without etcd they are left to the API server itself.
    ...(name === 'kube-apiserver' ? { prepare: () => forgetNodePorts(ports).catch(() => undefined) } : {}),
    spec: daemonSpec(layout, name, {
      command: tools[TOOL_OF[name]].path,
      args: recorded.args,
      // As kwokctl starts it: what it records, on top of nothing of the user's.
      env: {
        HOME: layout.cluster,
        PATH: '',
        KWOK_WORKDIR: layout.cluster,
        ...GO_MEMORY,
        ...Object.fromEntries(recorded.envs.map((variable) => [variable.name, variable.value])),
      },
      cwd: recorded.workDir,
      version: tools[TOOL_OF[name]].version,
      port,
    }),
    check: clusterCheck(layout, ports, name),
  };
}

export function clusterCheck(layout: Layout, ports: Ports, name: ClusterComponentName): () => Promise<string> {
  return async () => {
    const { path, secure } = HEALTH[name];
    const ca = secure ? await readFile(join(pkiFolder(layout), 'ca.crt'), 'utf8') : undefined;
    await expectOk({ url: `${secure ? 'https' : 'http'}://${LOOPBACK}:${ports[name]}${path}`, ca });
    return '';
  };
}

const HEALTH: Record<ClusterComponentName, { path: string; secure: boolean }> = {
  etcd: { path: '/health', secure: false },
  'kube-apiserver': { path: '/readyz', secure: true },
  'kube-controller-manager': { path: '/healthz', secure: true },
  'kube-scheduler': { path: '/healthz', secure: true },
  'kwok-controller': { path: '/healthz', secure: false },
};
