/** What of an environment runs, and how well. */
import type { Config } from '../src/config.ts';
import { loadPlatform } from '../src/environment/platform.ts';
import type { Environment } from '../src/environment/schema.ts';
import { type ClusterComponentName } from './cluster/config.ts';
import { clusterCheck } from './cluster/index.ts';
import { engineCheck } from './engine/index.ts';
import { expectedComponents } from './local-stack.ts';
import { nodeCheck } from './node/index.ts';
import { type ComponentName, type Layout, layoutOf, pidFileOf } from './layout.ts';
import { runningDaemon } from './process/daemon.ts';
import { type Ports, readPorts } from './process/ports.ts';
import { responderCheck } from './responder/index.ts';
import { MANIFEST } from './tools/index.ts';
import { vaultCheck } from './vault/index.ts';
import { workerCheck } from './worker/index.ts';

export interface ComponentState {
  name: ComponentName;
  /** Of the running process, otherwise the one that would be started. */
  version: string;
  pid: number | null;
  port: number | null;
  healthy: boolean;
  /** In words: why not, or what there is to know. */
  detail: string;
}

/** All parts that the environment embeds, running or not; takes about as long as the slowest answer, 2 s at most. */
export async function componentStates(environment: Environment, config: Config): Promise<ComponentState[]> {
  const layout = layoutOf(config, environment.name);
  const ports = await readPorts(layout.ports);
  const expected = expectedComponents(environment, await loadPlatform(environment, config));
  return Promise.all(expected.map((name) => stateOf(layout, ports, name)));
}

async function stateOf(layout: Layout, ports: Ports, name: ComponentName): Promise<ComponentState> {
  const record = await runningDaemon(pidFileOf(layout, name));
  const state = {
    name,
    version: record?.version ?? pinnedVersion(name),
    pid: record?.pid ?? null,
    port: record?.port ?? ports[name] ?? null,
  };
  if (record === undefined) return { ...state, healthy: false, detail: 'not running' };
  try {
    return { ...state, healthy: true, detail: await checkOf(layout, ports, name)() };
  } catch (error) {
    return { ...state, healthy: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

function checkOf(layout: Layout, ports: Ports, name: ComponentName): () => Promise<string> {
  switch (name) {
    case 'temporal':
      return engineCheck(ports);
    case 'vault':
      return vaultCheck(ports);
    case 'responder':
      return responderCheck(ports);
    case 'worker':
      return workerCheck(layout, ports);
    case 'node-agent':
    case 'containerd':
    case 'kubelet':
    case 'kube-proxy':
    case 'coredns':
      return nodeCheck(layout, ports, name);
    default:
      return clusterCheck(layout, ports, name satisfies ClusterComponentName);
  }
}

function pinnedVersion(name: ComponentName): string {
  const tools: Partial<Record<ComponentName, { version: string }>> = { ...MANIFEST, 'kwok-controller': MANIFEST.kwok };
  return tools[name]?.version ?? '';
}
