/** The processes of a real node as components of an environment. */
import { connect } from 'node:net';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiServerAddress } from '../cluster/config.ts';
import { pkiFolder } from '../cluster/create.ts';
import { type Component, daemonSpec } from '../component.ts';
import { type ComponentName, type Layout, pidFileOf } from '../layout.ts';
import { runningDaemon } from '../process/daemon.ts';
import type { Ports } from '../process/ports.ts';
import { expectOk } from '../process/probe.ts';
import type { InstalledTool } from '../tools/index.ts';
import {
  DNS_HEALTH_PORT,
  KUBELET_HEALTH_PORT,
  PROXY_HEALTH_PORT,
  cniConfig,
  containerdConfig,
  corefile,
  kubeconfig,
  kubeletConfig,
  proxyConfig,
} from './configuration.ts';
import { ensureNodeNamespaces } from './namespaces.ts';
import { REAL_LABEL, REAL_VALUE } from './labels.ts';
import { CONTAINERD_SOCKET, NODE_NAME, type NodeLayout, nodeLayout } from './layout.ts';
import { MACHINE_PATH, command, enter, findCniFolder, findProgram } from './machine.ts';
import type { NodeNetwork } from './network.ts';
import { makeCertificates } from './pki.ts';
import { nameServers } from './resolvers.ts';
import { allocatedNetwork } from './subnet.ts';

/** In the order in which they need each other. */
export const NODE_COMPONENTS = ['node-agent', 'containerd', 'kubelet', 'kube-proxy', 'coredns'] as const;
export type NodeComponentName = (typeof NODE_COMPONENTS)[number];
export const NODE_TOOLS = ['kubelet', 'kube-proxy', 'coredns'] as const;
export type NodeTools = Record<(typeof NODE_TOOLS)[number], InstalledTool>;

export interface NodeSetting {
  layout: Layout;
  ports: Ports;
  network: NodeNetwork;
  egress: boolean;
  /** Proxy settings of the machine, for pulling images. */
  proxies: Readonly<Record<string, string>>;
  tool: (name: keyof NodeTools) => Promise<InstalledTool>;
}

/** Changes when the agent itself changes, so that `up` replaces an old one. */
const AGENT_VERSION = '1';

/** As the node reaches it. */
export function apiServerFromNode(network: NodeNetwork, ports: Ports): string {
  return `https://${network.host}:${ports['kube-apiserver']}`;
}

export async function nodeComponent(setting: NodeSetting, name: NodeComponentName): Promise<Component> {
  const node = nodeLayout(setting.layout);
  const files = await filesOf(setting, node, name);
  const { command: program, args, version, env } = await programOf(setting, node, name);
  return {
    name,
    program,
    standstillMs: 60_000,
    graceMs: 10_000,
    prepare: async () => {
      await ensureNodeNamespaces(node, setting.network, setting);
      await makeCertificates(node, pkiFolder(setting.layout), setting.network);
      for (const [path, content] of files) {
        await mkdir(join(path, '..'), { recursive: true });
        await writeFile(path, content, { mode: 0o600 });
      }
    },
    spec: daemonSpec(setting.layout, name, {
      // The agent is of this machine; everything else lives in the node's namespaces.
      ...(name === 'node-agent'
        ? { command: program, args }
        : { command: await found('nsenter'), args: [...enter(node), program, ...args] }),
      env,
      cwd: setting.layout.root,
      version,
      port: null,
      build: createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16),
    }),
    check: nodeCheck(setting.layout, setting.ports, name),
  };
}

interface Program {
  command: string;
  args: string[];
  version: string;
  env: Record<string, string>;
}

async function programOf(
  { layout, ports, network, proxies, tool }: NodeSetting,
  node: NodeLayout,
  name: NodeComponentName,
): Promise<Program> {
  const path = { PATH: MACHINE_PATH };
  switch (name) {
    case 'node-agent':
      return {
        command: process.execPath,
        args: [
          '--disable-warning=ExperimentalWarning',
          fileURLToPath(new URL('agent/main.ts', import.meta.url)),
          '--address',
          network.host,
          '--port',
          String(ports['kube-apiserver']),
          '--api-server',
          apiServerAddress(ports),
          '--pki',
          pkiFolder(layout),
          '--volumes',
          node.volumes,
        ],
        version: AGENT_VERSION,
        env: {},
      };
    case 'containerd': {
      const command = await found('containerd');
      return {
        command,
        args: ['--config', join(node.config, 'containerd.toml')],
        version: await containerdVersion(command),
        env: { ...path, ...proxies },
      };
    }
    case 'kubelet': {
      const { path: command, version } = await tool('kubelet');
      return {
        command,
        version,
        env: path,
        args: [
          '--config',
          join(node.config, 'kubelet.json'),
          '--kubeconfig',
          join(node.config, 'kubelet.kubeconfig'),
          `--hostname-override=${NODE_NAME}`,
          `--node-ip=${network.node}`,
          `--node-labels=${REAL_LABEL}=${REAL_VALUE}`,
        ],
      };
    }
    case 'kube-proxy': {
      const { path: command, version } = await tool('kube-proxy');
      return { command, version, env: path, args: ['--config', join(node.config, 'kube-proxy.json')] };
    }
    case 'coredns': {
      const { path: command, version } = await tool('coredns');
      return { command, version, env: path, args: ['-conf', join(node.config, 'Corefile')] };
    }
  }
}

async function filesOf(
  { layout, ports, network, egress }: NodeSetting,
  node: NodeLayout,
  name: NodeComponentName,
): Promise<[path: string, content: string][]> {
  const json = (file: string, content: unknown): [string, string] => [
    join(node.config, file),
    `${JSON.stringify(content, undefined, 2)}\n`,
  ];
  const authority = join(pkiFolder(layout), 'ca.crt');
  const access = (user: string): [string, string] =>
    json(
      `${user}.kubeconfig`,
      kubeconfig(apiServerFromNode(network, ports), user, {
        authority,
        certificate: join(node.pki, `${user}.crt`),
        key: join(node.pki, `${user}.key`),
      }),
    );
  switch (name) {
    case 'node-agent':
      return [];
    case 'containerd':
      return [
        [join(node.config, 'containerd.toml'), containerdConfig(node, (await findCniFolder()) ?? '/usr/lib/cni')],
        json('cni/10-ananta.conflist', cniConfig(network)),
      ];
    case 'kubelet':
      return [
        json('kubelet.json', kubeletConfig(node, network, authority)),
        [join(node.config, 'resolv.conf'), `nameserver ${network.node}\n`],
        access('kubelet'),
      ];
    case 'kube-proxy':
      return [json('kube-proxy.json', proxyConfig(node, network)), access('kube-proxy')];
    case 'coredns':
      return [
        [join(node.config, 'Corefile'), corefile(node, network, egress ? await nameServers() : [])],
        access('coredns'),
      ];
  }
}

async function found(program: string): Promise<string> {
  const path = await findProgram(program);
  if (path === undefined) throw new Error(`${program} is not there any more`);
  return path;
}

async function containerdVersion(path: string): Promise<string> {
  return / v?(\d+\.\d+\.\d+)/.exec(await command(path, ['--version']))?.[1] ?? '';
}

/** One look at a running one. */
export function nodeCheck(layout: Layout, ports: Ports, name: NodeComponentName): () => Promise<string> {
  return async () => {
    const network = await allocatedNetwork(nodeLayout(layout));
    if (network === undefined) throw new Error('the node has no network yet');
    switch (name) {
      case 'node-agent':
        await expectOk({
          url: `${apiServerFromNode(network, ports)}/readyz`,
          ca: await readFile(join(pkiFolder(layout), 'ca.crt'), 'utf8'),
        });
        return `API server for pods at ${network.host}`;
      case 'containerd': {
        const record = await runningDaemon(pidFileOf(layout, 'containerd' satisfies ComponentName));
        // Through its own view of the file system: short enough for a socket's path, wherever the state folder is.
        await answers(`/proc/${record?.pid}/root${CONTAINERD_SOCKET}`);
        return '';
      }
      case 'kubelet':
        await expectOk({ url: `http://${network.node}:${KUBELET_HEALTH_PORT}/healthz` });
        return `node ${NODE_NAME} at ${network.node}`;
      case 'kube-proxy':
        await expectOk({ url: `http://${network.node}:${PROXY_HEALTH_PORT}/livez` });
        return '';
      case 'coredns':
        await expectOk({ url: `http://${network.node}:${DNS_HEALTH_PORT}/ready` });
        return '';
    }
  };
}

function answers(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
