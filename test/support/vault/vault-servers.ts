/**
 * Real Vault servers on loopback, with the configuration that the charts get, behind the tunnel that the product uses.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { acquireTools } from '../../../bootstrap/tools/index.ts';
import { waitUntil } from '../../../bootstrap/process/wait.ts';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import { createRedactor } from '../../../src/clients/redact.ts';
import { createTunnel, createVaultClient, type VaultClient } from '../../../src/clients/vault/index.ts';
import { readConfig } from '../../../src/config.ts';
import type { Seal } from '../../../src/environment/fields/vault.ts';
import { vaultHcl } from '../../../src/plan/vault/values.ts';
import type { Certificates } from '../servers/tls.ts';

export interface VaultServers {
  client: VaultClient;
  keysFile: string;
  folder: string;
  /** Starts one that does not run, with the configuration for so many servers. */
  start: (index: number, replicas: number) => Promise<void>;
  /** As a node that loses its power; with `wipe` its volume is gone, too. */
  kill: (index: number, options?: { wipe?: boolean }) => Promise<void>;
  /** As Kubernetes ends a pod. */
  stop: (index: number) => Promise<void>;
  address: (index: number) => string;
  port: (index: number) => number;
  /** Reads its certificate again. */
  reload: (index: number) => void;
  close: () => Promise<void>;
}

export interface VaultServersOptions {
  count: number;
  seal?: Seal;
  /** Certificates for `localhost`: then they answer over TLS alone, and the client checks them against `ca`. */
  tls?: Certificates;
  /** Configuration of the server, in place of what the charts would get: as it lies in a cluster. */
  text?: () => Promise<string>;
  /** More of the configuration: a folder of plug-ins. */
  more?: string;
  /** Of the processes, as the pods have them from Secrets. */
  env?: Record<string, string>;
}

const DOMAIN = 'vault-headless.vault-system.svc';

async function vaultBinary(): Promise<string> {
  const config = readConfig();
  return (
    await acquireTools({
      names: ['vault'],
      cacheDir: config.cacheDir,
      mirror: config.toolsMirror,
      env: config.childEnv,
    }).get('vault')
  ).path;
}

/** Starts none yet. */
export async function vaultServers({
  count,
  seal,
  tls,
  text,
  more = '',
  env = {},
}: VaultServersOptions): Promise<VaultServers> {
  const binary = await vaultBinary();
  const folder = await mkdtemp(join(tmpdir(), 'vaults-'));
  const ports = await freePorts(2 * count);
  const processes = new Map<number, ChildProcess>();
  const portOf = (index: number): number => ports[2 * index]!;

  const configuration = async (index: number, replicas: number): Promise<string> => {
    const settings = { replicas, seal, ...(tls ? { tls: { secret: 'vault-tls' } } : {}) };
    const own = text ? await text() : vaultHcl({ name: 'vault' }, settings, DOMAIN, { mlock: 'said' });
    return `${own}${more}\n`
      .replace('[::]:8200', `127.0.0.1:${portOf(index)}`)
      .replace('[::]:8201', `127.0.0.1:${ports[2 * index + 1]}`)
      .replace('/vault/data', join(folder, `data-${index}`))
      .replaceAll('/vault/tls/tls.crt', tls?.cert ?? '')
      .replaceAll('/vault/tls/tls.key', tls?.key ?? '')
      .replaceAll('/vault/tls/ca.crt', tls?.ca ?? '')
      .replaceAll(
        /(https?):\/\/vault-(\d)\.[^"]*:8200/g,
        (_whole, scheme: string, peer: string) => `${scheme}://127.0.0.1:${portOf(Number(peer))}`,
      );
  };
  const end = async (index: number, signal: NodeJS.Signals): Promise<void> => {
    const child = processes.get(index);
    processes.delete(index);
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };

  const kubernetes = {
    list: () =>
      Promise.resolve({
        metadata: { resourceVersion: '1' },
        items: [...processes.keys()].map(
          (index): KubernetesObject => ({
            metadata: { name: `vault-${index}`, uid: '', resourceVersion: '1' },
            status: { phase: 'Running' },
          }),
        ),
      }),
    connect: ({ pod }: { pod: string }): Promise<Duplex> =>
      new Promise((resolve, reject) => {
        const socket = connect(portOf(Number(pod.slice(-1))), '127.0.0.1');
        socket.once('connect', () => {
          resolve(socket);
        });
        socket.once('error', reject);
      }),
  };
  const keysFile = join(folder, 'vault-keys.json');
  const client = createVaultClient({
    connection: { kubernetesHost: '', keysFile },
    environment: 'test',
    redactor: createRedactor(),
    kubernetes: { tokenFor: () => Promise.reject(new Error('no cluster here')) },
    tunnel: createTunnel(kubernetes, {
      namespace: 'vault-system',
      release: 'vault',
      port: 8200,
      ...(tls ? { tls: { name: 'localhost', authority: () => readFile(tls.ca, 'utf8') } } : {}),
    }),
  });

  return {
    client,
    keysFile,
    folder,
    start: async (index, replicas) => {
      await mkdir(join(folder, `data-${index}`), { recursive: true });
      const file = join(folder, `vault-${index}.hcl`);
      await writeFile(file, await configuration(index, replicas));
      const child = spawn(binary, ['server', `-config=${file}`], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: '',
          HOME: folder,
          ...env,
          // As the chart sets them.
          VAULT_API_ADDR: `${tls ? 'https' : 'http'}://127.0.0.1:${portOf(index)}`,
          VAULT_CLUSTER_ADDR: `https://127.0.0.1:${ports[2 * index + 1]}`,
          VAULT_RAFT_NODE_ID: `vault-${index}`,
        },
      });
      const log = createWriteStream(join(folder, `vault-${index}.log`), { flags: 'a' });
      child.stdout.pipe(log, { end: false });
      child.stderr.pipe(log, { end: false });
      processes.set(index, child);
      await waitUntil(`vault-${index}`, { timeoutMs: 60_000, intervalMs: 100 }, async () => {
        if (child.exitCode !== null)
          throw new Error(`vault-${index} ended: ${await readFile(join(folder, `vault-${index}.log`), 'utf8')}`);
        // A TLS server answers plain HTTP with an error that says so.
        return fetch(`http://127.0.0.1:${portOf(index)}/v1/sys/health`).then(
          () => true,
          () => undefined,
        );
      });
    },
    kill: async (index, { wipe = false } = {}) => {
      await end(index, 'SIGKILL');
      if (wipe) await rm(join(folder, `data-${index}`), { recursive: true });
    },
    stop: (index) => end(index, 'SIGTERM'),
    address: (index) => `http://127.0.0.1:${portOf(index)}`,
    port: portOf,
    reload: (index) => processes.get(index)?.kill('SIGHUP'),
    close: async () => {
      client.close();
      await Promise.all([...processes.keys()].map((index) => end(index, 'SIGKILL')));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Held together, so that none is given twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => {
            resolve(server);
          });
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map(
      (server) =>
        new Promise((resolve) => {
          server.close(resolve);
        }),
    ),
  );
  return ports;
}
