/**
 * The embedded Vault: a real server on raft storage. Only started here: the deployment initialises and unseals it
 * through its API.
 */
import { createHash } from 'node:crypto';
import { mkdir, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Runtime } from '../../src/environment/connections.ts';
import { type Component, daemonSpec } from '../component.ts';
import type { Layout } from '../layout.ts';
import { writeFileDurably } from '../process/files.ts';
import { GO_MEMORY } from '../process/go.ts';
import { LOOPBACK, type Ports } from '../process/ports.ts';
import { httpGet } from '../process/probe.ts';
import type { InstalledTool } from '../tools/index.ts';

export const VAULT_PORTS = ['vault', 'vault-cluster'] as const;

export function vaultAddress(ports: Ports): string {
  return `http://${LOOPBACK}:${ports['vault']}`;
}

/** What the deployment registers when this Vault lacks the Kubernetes auth method. */
export function kubernetesAuthPlugin(
  plugin: InstalledTool,
): NonNullable<NonNullable<Runtime['vault']>['kubernetesAuthPlugin']> {
  return { name: 'kubernetes', command: basename(plugin.path), sha256: plugin.sha256 };
}

/** The server's configuration, JSON being HCL too. @param pluginDirectory absolute, free of symbolic links */
export function vaultConfiguration(
  layout: Layout,
  ports: Ports,
  pluginDirectory: string | undefined,
): Record<string, unknown> {
  return {
    storage: {
      raft: {
        path: join(layout.vault, 'data'),
        node_id: 'vault-0',
        // One node elects itself: no need for timeouts made for a network between three.
        performance_multiplier: 1,
      },
    },
    listener: [
      {
        tcp: {
          address: `${LOOPBACK}:${ports['vault']}`,
          cluster_address: `${LOOPBACK}:${ports['vault-cluster']}`,
          tls_disable: true,
        },
      },
    ],
    api_addr: vaultAddress(ports),
    cluster_addr: `https://${LOOPBACK}:${ports['vault-cluster']}`,
    // Locking memory needs a capability that a user's process lacks.
    disable_mlock: true,
    ui: false,
    log_level: 'warn',
    ...(pluginDirectory === undefined ? {} : { plugin_directory: pluginDirectory }),
  };
}

/** @param plugin where this Vault lacks the Kubernetes auth method */
export async function vaultComponent(
  layout: Layout,
  tool: InstalledTool,
  ports: Ports,
  plugin: InstalledTool | undefined,
): Promise<Component> {
  const pluginDirectory = plugin === undefined ? undefined : dirname(await realpath(plugin.path));
  const configuration = `${JSON.stringify(vaultConfiguration(layout, ports, pluginDirectory), undefined, 2)}\n`;
  return {
    name: 'vault',
    standstillMs: 30_000,
    graceMs: 10_000,
    ...(plugin === undefined ? {} : { children: { programs: [plugin.path], folder: layout.vault } }),
    prepare: async () => {
      await mkdir(join(layout.vault, 'data'), { recursive: true, mode: 0o700 });
      // A plugin that was killed leaves its socket.
      await rm(socketFolder(layout), { recursive: true, force: true });
      await mkdir(socketFolder(layout), { mode: 0o700 });
      await writeFileDurably(configurationFile(layout), configuration);
    },
    spec: daemonSpec(layout, 'vault', {
      command: tool.path,
      args: ['server', `-config=${configurationFile(layout)}`],
      env: {
        HOME: layout.vault,
        PATH: '',
        ...GO_MEMORY,
        ...(socketsFit(layout) ? { TMPDIR: socketFolder(layout) } : {}),
      },
      cwd: layout.root,
      version: tool.version,
      port: ports['vault'] as number,
      build: createHash('sha256').update(configuration).digest('hex').slice(0, 16),
    }),
    check: vaultCheck(ports),
  };
}

/** Sealed or not, an answer means that the server works. */
export function vaultCheck(ports: Ports): () => Promise<string> {
  return () => vaultState(ports);
}

/** @throws Error when nobody answers */
async function vaultState(ports: Ports): Promise<string> {
  const { body } = await httpGet({
    url: `${vaultAddress(ports)}/v1/sys/health?standbyok=true&sealedcode=200&uninitcode=200`,
  });
  const { initialized, sealed } = JSON.parse(body) as { initialized?: boolean; sealed?: boolean };
  if (initialized === undefined) throw new Error(`unexpected answer: ${body.slice(0, 200)}`);
  return initialized ? (sealed === true ? 'sealed' : 'open') : 'not initialised';
}

function socketFolder(layout: Layout): string {
  return join(layout.vault, 'run');
}

/** Bytes of a socket's path that every system takes. */
const LONGEST_SOCKET_PATH = 103;

/**
 * Plugins talk through a socket `plugin<number>` in the folder for temporary files; below a long path it has to be the
 * system's.
 */
function socketsFit(layout: Layout): boolean {
  return Buffer.byteLength(join(socketFolder(layout), 'plugin4294967295')) <= LONGEST_SOCKET_PATH;
}

function configurationFile(layout: Layout): string {
  return join(layout.vault, 'vault.json');
}
