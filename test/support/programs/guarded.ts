/**
 * A protected environment on a sandbox: its cluster and engine are named as somebody else's, its Vault is three real
 * servers with the configuration and the certificate that lie in the cluster, opened by a real key service. Simulated
 * pods lead to them.
 */
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { waitUntil } from '../../../bootstrap/process/wait.ts';
import { acquireTools } from '../../../bootstrap/tools/index.ts';
import { closeTemporal, connectTemporal, pollersOf } from '../../../src/clients/temporal/index.ts';
import { readConfig } from '../../../src/config.ts';
import { ENGINE_NAMESPACE, taskQueueOf } from '../../../src/contract/names.ts';
import type { Runtime } from '../../../src/environment/connections.ts';
import { type Bystander, bystanderOn } from '../sandbox/bystander.ts';
import { type Kubectl, kubectlOn } from '../sandbox/kubectl.ts';
import { createSandbox, MINI, type RunningCli, type Sandbox } from '../sandbox/sandbox.ts';
import type { Certificates } from '../servers/tls.ts';
import { type VaultServers, vaultServers } from '../vault/vault-servers.ts';

export const SERVERS = 3;
/** Of the certificate that everybody checks. */
export const VAULT_NAME = 'vault.vault-system.svc';
export const VAULT_NAMES = [VAULT_NAME, '*.vault-headless.vault-system.svc'];

export interface Guarded {
  sandbox: Sandbox;
  kubectl: Kubectl;
  /** Somebody else on its cluster. */
  bystander: Pick<Bystander, 'assertUntouched'>;
  servers: VaultServers;
  /** Address of the engine. */
  engine: string;
  /** What `vault` in its file is, without `tls`. */
  vault: Record<string, unknown>;
  close: () => Promise<void>;
}

/** @param tls files that Vault's servers find where the chart mounts them; may be written anew before `reload` */
export async function guardedSandbox(tls: Certificates, named: Record<string, unknown>): Promise<Guarded> {
  const localStack = await createSandbox(MINI, { name: 'ground' });
  const closing: (() => Promise<void>)[] = [() => localStack.close()];
  const close = async (): Promise<void> => {
    for (const step of closing.reverse()) await step();
  };
  try {
    const up = await localStack.look(['up']);
    if (up.code !== 0) throw new Error(up.stderr);
    const runtime = JSON.parse(await readFile(join(localStack.state, 'runtime.json'), 'utf8')) as Runtime;
    const { cluster, engine } = runtime;
    if (!cluster || !engine) throw new Error('The sandbox has no cluster and no engine');
    const kubectl = await kubectlOn(cluster.kubeconfig, localStack.folder);
    const bystander = await bystanderOn(localStack);

    const service = await vaultServers({ count: 1 });
    closing.push(() => service.close());
    await service.start(0, 1);
    await service.client.open({ shares: 1, threshold: 1, cluster: 'keys' });
    await service.client.root.run(async (session) => {
      await session.write('sys/mounts/transit', { type: 'transit' });
      await session.write('transit/keys/unseal', {});
    });
    const { rootToken } = JSON.parse(await readFile(service.keysFile, 'utf8')) as { rootToken: string };

    const plugin = await kubernetesAuth();
    const configuration = [
      '-n',
      'vault-system',
      'get',
      'configmap',
      'vault-config',
      '-o',
      'jsonpath={.data.vault\\.hcl}',
    ];
    const servers = await vaultServers({
      count: SERVERS,
      tls,
      text: () => kubectl(configuration),
      more: `plugin_directory = ${JSON.stringify(plugin.folder)}\n`,
      env: { VAULT_TOKEN: rootToken },
    });
    closing.push(() => servers.close());

    const vault = {
      replicas: SERVERS,
      shares: 3,
      threshold: 2,
      keys: { store: 'kubernetes' },
      kubernetesHost: cluster.server,
      seal: {
        type: 'transit',
        parameters: {
          address: service.address(0),
          key_name: 'unseal',
          mount_path: 'transit/',
          disable_renewal: 'true',
        },
        credentials: { secret: 'vault-seal', keys: ['VAULT_TOKEN'] },
      },
    };
    const sandbox = await createSandbox(
      {
        extends: '_base',
        simulation: undefined,
        platform: MINI.platform,
        cluster: {
          context: (await kubectl(['config', 'current-context'])).trim(),
          kubeconfig: cluster.kubeconfig,
        },
        engine: { address: engine.address, namespace: ENGINE_NAMESPACE },
        charts: 'bundled',
        domain: 'guarded.example',
        images: { prefix: 'registry.example.test/mini' },
        suppliedSecrets: 'placeholder',
        protected: true,
        drift: { mode: 'off' },
        vault: { ...vault, ...named },
      },
      { name: 'guarded', beside: localStack },
    );
    // It has nothing to stop but its commands: cluster and engine are somebody else's.
    closing.push(() => sandbox.close().catch(() => undefined));
    // Programs for tests lack the login of Kubernetes that publishers' have.
    const own: Runtime = {
      tools: runtime.tools,
      vault: { address: `https://${VAULT_NAME}:8200`, kubernetesAuthPlugin: plugin.known },
    };
    await mkdir(sandbox.state, { recursive: true });
    await writeFile(join(sandbox.state, 'runtime.json'), JSON.stringify(own));
    await leadTo(kubectl, servers);
    return { sandbox, kubectl, bystander, servers, engine: engine.address, vault, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A worker of the environment's own, which asks for work. */
export async function startWorker({ sandbox, engine }: Pick<Guarded, 'sandbox' | 'engine'>): Promise<RunningCli> {
  const worker = sandbox.start(['worker']);
  const client = await connectTemporal({ address: engine, namespace: ENGINE_NAMESPACE });
  try {
    await waitUntil('a worker asks for work', { timeoutMs: 120_000, intervalMs: 300 }, async () =>
      (await pollersOf(client, taskQueueOf(sandbox.name))) > 0 ? true : undefined,
    );
    return worker;
  } catch (error) {
    worker.kill('SIGKILL');
    throw error;
  } finally {
    await closeTemporal(client);
  }
}

/** Each server begins once its configuration is in the cluster, as its pod would. */
export async function startWithPods({ kubectl, servers }: Pick<Guarded, 'kubectl' | 'servers'>): Promise<void> {
  await waitUntil('pods of Vault', { timeoutMs: 120_000, intervalMs: 300 }, async () => {
    const pods = await kubectl(['-n', 'vault-system', 'get', 'pods', '-o', 'name']).catch(() => '');
    return pods.includes(`pod/vault-${SERVERS - 1}`) ? true : undefined;
  });
  await Promise.all(Array.from({ length: SERVERS }, (_, index) => servers.start(index, SERVERS)));
}

/** Pods of Vault answer with the servers, all others as before. KWOK takes any rule that fits, so that only one may. */
async function leadTo(kubectl: Kubectl, servers: VaultServers): Promise<void> {
  const rule = await kubectl(['get', 'clusterportforward', 'simulated-pods', '-o', 'json']);
  const { metadata, ...before } = JSON.parse(rule) as { metadata: object; spec: object };
  const others = ['operators', 'data', 'apps'];
  const rules = [
    {
      ...before,
      metadata: { name: 'simulated-pods' },
      spec: { ...before.spec, selector: { matchNamespaces: others } },
    },
    ...Array.from({ length: SERVERS }, (_, index) => ({
      ...before,
      metadata: { name: `vault-${index}` },
      spec: {
        selector: { matchNamespaces: ['vault-system'], matchNames: [`vault-${index}`] },
        forwards: [{ ports: [8200], target: { address: '127.0.0.1', port: servers.port(index) } }],
      },
    })),
  ];
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: rules }));
}

async function kubernetesAuth(): Promise<{
  folder: string;
  known: { name: string; command: string; sha256: string };
}> {
  const config = readConfig();
  const { path, sha256 } = await acquireTools({
    names: ['vault-plugin-auth-kubernetes'],
    cacheDir: config.cacheDir,
    mirror: config.toolsMirror,
    env: config.childEnv,
  }).get('vault-plugin-auth-kubernetes');
  const binary = await realpath(path);
  return { folder: dirname(binary), known: { name: 'kubernetes', command: basename(binary), sha256 } };
}
