/** The embedded parts of one environment, put together: which there are, their tools and ports, how each is started. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from '../src/catalog/schema.ts';
import type { Config } from '../src/config.ts';
import { encryptionOf, otherCluster, type Runtime } from '../src/environment/connections.ts';
import { loadPlatform } from '../src/environment/platform.ts';
import { realNodeOf, realServices } from '../src/environment/real-node.ts';
import type { Environment } from '../src/environment/schema.ts';
import {
  CLUSTER_COMPONENTS,
  CLUSTER_PORTS,
  CLUSTER_TOOLS,
  type ClusterTools,
  apiServerAddress,
  clusterComponent,
  clusterDigest,
  pkiFolder,
  recordedComponents,
} from './cluster/index.ts';
import { knownAnswers, knownCommands, tcpServices, vaultClaims } from './cluster/contents.ts';
import type { Component } from './component.ts';
import { throughWays } from './faults/ways.ts';
import { CODEC_PORT, codecEndpoint, ENGINE_PORTS, engineAddresses, engineComponent } from './engine/index.ts';
import { COMPONENTS, type ComponentName, type Layout, layoutOf, pidFileOf } from './layout.ts';
import { runningDaemon } from './process/daemon.ts';
import {
  NODE_COMPONENTS,
  NODE_TOOLS,
  type NodeComponentName,
  type NodeNetwork,
  nodeComponent,
  nodeLayout,
  allocateNetwork,
} from './node/index.ts';
import { claimPorts, readPorts } from './process/ports.ts';
import type { Ports } from './process/ports.ts';
import type { Report } from './report.ts';
import { responderComponent, responderPorts } from './responder/index.ts';
import { checkCacheFolder } from './tools/cache-folder.ts';
import { ToolNotNeededError, acquireTools } from './tools/index.ts';
import type { AcquiredTools, InstalledTool, ToolName } from './tools/index.ts';
import { VAULT_PORTS, kubernetesAuthPlugin, vaultAddress, vaultComponent } from './vault/index.ts';
import { type WorkerBasis, workerComponent } from './worker/index.ts';

export interface Parts {
  engine: boolean;
  worker: boolean;
  /** With it comes the responder, which stands behind simulated pods. */
  cluster: boolean;
  /** A cluster with real pods on this machine: containers, none of our processes. */
  kind: boolean;
  /** False where Vault runs in a real pod. */
  vault: boolean;
  /** A real node beside the simulated ones. */
  node: boolean;
}

export function partsOf(environment: Environment, catalog: Catalog): Parts {
  const embedded = 'embedded' in environment.engine;
  const cluster = 'embedded' in environment.cluster;
  const node = realNodeOf(environment) !== undefined;
  return {
    // An engine in an embedded cluster has simulated pods, behind which a real one answers, as with Vault. Its workers
    // would be pods, too.
    engine: embedded || (cluster && 'inCluster' in environment.engine),
    worker: embedded,
    cluster,
    kind: 'kind' in environment.cluster,
    node,
    vault: cluster && !(node && vaultIsReal(environment, catalog)),
  };
}

function vaultIsReal(environment: Environment, catalog: Catalog): boolean {
  const real = realServices(environment, catalog);
  return catalog.services.some(({ name, health }) => health.kind === 'vault' && real.includes(name));
}

/** In the order of `COMPONENTS`. */
export function expectedComponents(environment: Environment, catalog: Catalog): ComponentName[] {
  const { engine, worker, cluster, vault, node } = partsOf(environment, catalog);
  const needs: Record<ComponentName, boolean> = {
    temporal: engine,
    ...(Object.fromEntries(CLUSTER_COMPONENTS.map((name) => [name, cluster])) as Record<
      (typeof CLUSTER_COMPONENTS)[number],
      boolean
    >),
    responder: cluster,
    vault,
    ...(Object.fromEntries(NODE_COMPONENTS.map((name) => [name, node])) as Record<NodeComponentName, boolean>),
    // With another engine workers are started by whoever runs it.
    worker,
  };
  return COMPONENTS.filter((name) => needs[name]);
}

export interface LocalStack {
  environment: Environment;
  config: Config;
  catalog: Catalog;
  layout: Layout;
  parts: Parts;
  ports: Ports;
  tools: AcquiredTools;
  /** Of the real node, where there is one. */
  network: NodeNetwork | undefined;
}

export interface LocalStackOptions {
  report: Report;
  signal?: AbortSignal | undefined;
  /** `claim`: other ports where the remembered ones are taken. `keep`: exactly those that the running parts know. */
  ports: 'claim' | 'keep';
}

/** Gets the tools and chooses the ports; starts nothing. */
export async function openLocalStack(
  environment: Environment,
  config: Config,
  { report, signal, ports: choice }: LocalStackOptions,
): Promise<LocalStack> {
  await checkCacheFolder(config);
  // A worker without its keys would not come up, and only its log would say why.
  if (choice === 'claim') await requireHistoryKeys(environment, config);
  const layout = layoutOf(config, environment.name);
  await mkdir(layout.run, { recursive: true, mode: 0o700 });
  const catalog = await loadPlatform(environment, config);
  const parts = partsOf(environment, catalog);
  const real = realNodeOf(environment);
  const network = real === undefined ? undefined : await allocateNetwork(nodeLayout(layout), real);
  const tools = acquireTools({
    names: toolNames(parts),
    cacheDir: config.cacheDir,
    mirror: config.toolsMirror,
    env: config.childEnv,
    onProgress: (progress) => {
      report({ kind: 'tool', progress });
    },
    signal,
  });
  // Awaited by what needs them; when that never happens, the failure has already been reported.
  tools.all().catch(() => undefined);
  const ports =
    choice === 'keep'
      ? await readPorts(layout.ports)
      : await claimPorts({
          file: layout.ports,
          names: portNames(parts, catalog, environment),
          inUseByUs: await portsInUse(layout),
          claims: join(config.cacheDir, 'ports.json'),
        });
  return { environment, config, catalog, layout, parts, ports, tools, network };
}

/** @throws HistoryKeysError where histories are encrypted, and there are no keys */
async function requireHistoryKeys(environment: Environment, config: Config): Promise<void> {
  const encryption = encryptionOf(environment, config);
  if (encryption === undefined) return;
  const { readRing } = await import('../src/clients/temporal/encryption/source.ts');
  await readRing(encryption);
}

/** What is needed first comes first. */
function toolNames({ engine, cluster, vault, node }: Parts): ToolName[] {
  return [
    ...(engine ? (['temporal'] as const) : []),
    ...(vault ? (['vault', 'vault-plugin-auth-kubernetes'] as const) : []),
    ...(cluster ? CLUSTER_TOOLS : []),
    ...(node ? NODE_TOOLS : []),
    'helm',
  ];
}

function portNames({ engine, cluster }: Parts, catalog: Catalog, { encryption }: Environment): string[] {
  return [
    ...(engine ? ENGINE_PORTS : []),
    ...(engine && encryption !== undefined ? [CODEC_PORT] : []),
    ...(cluster
      ? [...CLUSTER_PORTS, ...VAULT_PORTS, ...responderPorts(tcpServices(catalog).map(({ service }) => service))]
      : []),
  ];
}

/** A component that runs keeps all of its ports. */
async function portsInUse(layout: Layout): Promise<Set<string>> {
  const extra: Partial<Record<ComponentName, (name: string) => boolean>> = {
    temporal: (name) => name.startsWith('temporal-'),
    etcd: (name) => name === 'etcd-peer',
    vault: (name) => name === 'vault-cluster',
    responder: (name) => name.startsWith('responder-'),
  };
  const running = await Promise.all(
    COMPONENTS.map(async (name) => ((await runningDaemon(pidFileOf(layout, name))) === undefined ? [] : [name])),
  );
  const names = running.flat();
  const remembered = Object.keys(await readPorts(layout.ports));
  return new Set([...names, ...remembered.filter((port) => names.some((name) => extra[name]?.(port) === true))]);
}

export async function clusterTools(tools: AcquiredTools): Promise<ClusterTools> {
  const found = await Promise.all(CLUSTER_TOOLS.map(async (name) => [name, await tools.get(name)] as const));
  return Object.fromEntries(found) as ClusterTools;
}

/** undefined where this Vault has the method built in */
export async function vaultPlugin(tools: AcquiredTools): Promise<InstalledTool | undefined> {
  try {
    return await tools.get('vault-plugin-auth-kubernetes');
  } catch (error) {
    if (error instanceof ToolNotNeededError) return undefined;
    throw error;
  }
}

/**
 * How the component would be started now.
 * @returns undefined for one that is made only with the whole cluster, which `up` does
 */
export async function componentOf(stack: LocalStack, name: ComponentName): Promise<Component | undefined> {
  const { layout, ports, tools, config, catalog } = stack;
  switch (name) {
    case 'temporal':
      return engineComponent(layout, await tools.get('temporal'), ports, await codecOf(stack));
    case 'responder':
      return responderComponent(layout, ports, {
        tcpServices: tcpServices(catalog).map(({ service }) => service),
        commands: knownCommands(catalog),
        answers: knownAnswers(catalog),
        pki: pkiFolder(layout),
        vaultClaim: stack.parts.vault ? vaultClaims(catalog)[0] : undefined,
      });
    case 'vault':
      return vaultComponent(layout, await tools.get('vault'), ports, await vaultPlugin(tools));
    case 'worker':
      return workerComponent(layout, config, ports, await workerBasis(stack));
    case 'node-agent':
    case 'containerd':
    case 'kubelet':
    case 'kube-proxy':
    case 'coredns':
      return realNodeComponent(stack, name);
    default: {
      const cluster = await clusterTools(tools);
      const recorded = (await recordedComponents(layout, clusterDigest(layout, cluster, ports, stack.network)))?.find(
        (component) => component.name === name,
      );
      return recorded === undefined ? undefined : clusterComponent(layout, cluster, ports, recorded);
    }
  }
}

/** Where the UI of an embedded engine has histories decrypted; undefined where they are plain. */
async function codecOf({ environment, layout, parts, ports }: LocalStack): Promise<string | undefined> {
  const { encryption } = environment;
  return parts.engine && encryption !== undefined && ports[CODEC_PORT] !== undefined
    ? codecEndpoint(layout, ports)
    : undefined;
}

async function realNodeComponent(
  { environment, config, layout, ports, network, tools }: LocalStack,
  name: NodeComponentName,
): Promise<Component | undefined> {
  if (network === undefined) return undefined;
  return nodeComponent(
    {
      layout,
      ports,
      network,
      egress: realNodeOf(environment)?.egress ?? false,
      proxies: Object.fromEntries(
        Object.entries(config.childEnv).filter(([variable]) => /^(https?|no)_proxy$/i.test(variable)),
      ),
      tool: (tool) => tools.get(tool),
    },
    name,
  );
}

async function workerBasis(stack: LocalStack): Promise<WorkerBasis> {
  const { version } = JSON.parse(await readFile(join(stack.config.repoRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  return {
    version,
    settings: JSON.stringify([stack.environment, stack.catalog, await runtimeOf(stack)]),
    logsInByPlugin: await logsInByPlugin(stack),
    environment: stack.environment,
  };
}

/** Only to a cluster of somebody else. */
async function logsInByPlugin({ environment, config }: LocalStack): Promise<boolean> {
  const cluster = otherCluster(environment, config);
  if (cluster === undefined) return false;
  const { usesExecLogin } = await import('../src/clients/kubernetes/kubeconfig/kubeconfig.ts');
  return usesExecLogin(cluster);
}

/** What `runtime.json` says of a stack whose parts all run. */
export async function runtimeOf(stack: LocalStack, kind?: NonNullable<Runtime['cluster']>): Promise<Runtime> {
  const { layout, parts, ports, tools } = stack;
  const all = await tools.all();
  const codec = await codecOf(stack);
  const plugin = all.get('vault-plugin-auth-kubernetes');
  return throughWays(layout, {
    ...(kind === undefined ? {} : { cluster: kind }),
    ...(parts.cluster
      ? {
          cluster: { kubeconfig: layout.kubeconfig, server: apiServerAddress(ports) },
        }
      : {}),
    ...(parts.vault
      ? {
          vault: {
            address: vaultAddress(ports),
            ...(plugin === undefined ? {} : { kubernetesAuthPlugin: kubernetesAuthPlugin(plugin) }),
          },
        }
      : {}),
    ...(parts.engine
      ? {
          engine: {
            address: engineAddresses(ports).address,
            uiAddress: engineAddresses(ports).uiAddress,
            ...(codec === undefined ? {} : { codecEndpoint: codec }),
          },
        }
      : {}),
    tools: Object.fromEntries([...all].map(([name, { path }]) => [name, path] as const).sort()),
  });
}
