/**
 * Where the parts of an environment answer. For external parts this comes from the environment file, for embedded ones
 * from the runtime file that the local stack writes when it starts; callers see no difference.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AnantaError } from '../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../contract/failures.ts';
import { z } from 'zod';
import { type Config, stateDir } from '../config.ts';
import { ENGINE_NAMESPACE, IN_CLUSTER } from '../contract/names.ts';
import type { Proxies } from '../process/proxies.ts';
import type { Encryption } from './fields/encryption.ts';
import type { Environment } from './schema.ts';

/** `<state folder>/runtime.json`, written when the local stack starts. */
export const runtimeSchema = z.strictObject({
  /** Set when the cluster is embedded, or made by kind. */
  cluster: z.strictObject({ kubeconfig: z.string(), server: z.url() }).optional(),
  /** Set when the engine is embedded. */
  engine: z.strictObject({ address: z.string(), uiAddress: z.url(), codecEndpoint: z.url().optional() }).optional(),
  vault: z
    .strictObject({
      /** Folder for plugins of the embedded server, when its binary lacks Kubernetes auth. */
      kubernetesAuthPlugin: z.strictObject({ name: z.string(), command: z.string(), sha256: z.string() }).optional(),
      address: z.url(),
    })
    .optional(),
  /** Absolute paths of the tools. */
  tools: z.record(z.string(), z.string()),
});
export type Runtime = z.infer<typeof runtimeSchema>;

export interface Connections {
  kubernetes: {
    /** One path, or several as KUBECONFIG has them. */
    kubeconfig: string;
    context?: string;
    inCluster: boolean;
    /** Of the environment, for a cluster that is not on this machine and whose kubeconfig names none. */
    proxies?: Proxies;
  };
  engine: {
    /** host:port; with a tunnel the address within the cluster, for people. */
    address: string;
    namespace: string;
    /** The engine is in the cluster and we are not: reached through a port of one of its pods. */
    tunnel?: { kubernetes: Connections['kubernetes']; namespace: string; release: string; port: number };
    /** Web UI, where known. */
    uiAddress?: string;
    tls?: boolean | { ca?: string; cert?: string; key?: string; serverName?: string };
    apiKeyFile?: string;
    /** Of the environment, for one that is not on this machine and not in the cluster. */
    proxies?: Proxies;
    /** Of an embedded engine whose histories are encrypted: where its UI asks `codec serve`, token included. */
    codecEndpoint?: string;
    /** Set when the environment's histories are encrypted, or once were. */
    encryption?: EncryptionConnection;
  };
  vault: {
    kubernetesHost: string;
    keysFile: string;
    kubernetesAuthPlugin?: { name: string; command: string; sha256: string };
  };
  /** Absolute path, or undefined where nothing was installed for this environment yet. */
  helm: string | undefined;
  stateDir: string;
}

export interface EncryptionConnection {
  environment: string;
  /** Absolute path; not asked where there is a command. */
  keysFile: string;
  keysCommand?: string[];
  /** Where the command starts. */
  cwd: string;
  mode: Encryption['mode'];
}

export function runtimeFile(config: Config, environment: string): string {
  return join(stateDir(config, environment), 'runtime.json');
}

/** @returns undefined when nothing embedded was ever started. @throws ZodError when the file is damaged. */
export async function readRuntime(config: Config, environment: string): Promise<Runtime | undefined> {
  let text: string;
  try {
    text = await readFile(runtimeFile(config, environment), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return runtimeSchema.parse(JSON.parse(text));
}

export class NotRunningError extends AnantaError {
  override name = 'NotRunningError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
}

/**
 * @param needs `engine: false` for those who never talk to it: its address may then be empty
 * @throws NotRunningError when an embedded part was never started; says which command starts it.
 */
export async function resolveConnections(
  environment: Environment,
  config: Config,
  needs: { engine: boolean } = { engine: true },
): Promise<Connections> {
  const runtime = await readRuntime(config, environment.name);
  const missing = (part: string): never => {
    throw new NotRunningError(
      `The embedded ${part} of environment "${environment.name}" is not running. Start it with: npm run ananta -- up --env ${environment.name}`,
    );
  };
  const embeddedCluster = 'embedded' in environment.cluster;
  const kubernetes =
    'embedded' in environment.cluster || 'kind' in environment.cluster
      ? { kubeconfig: runtime?.cluster?.kubeconfig ?? missing('cluster'), inCluster: false }
      : (otherCluster(environment, config) ?? missing('cluster'));
  const engine: Connections['engine'] =
    'embedded' in environment.engine
      ? {
          address: runtime?.engine?.address ?? (needs.engine ? missing('engine') : ''),
          namespace: ENGINE_NAMESPACE,
          ...(runtime?.engine ? { uiAddress: runtime.engine.uiAddress } : {}),
          ...(runtime?.engine?.codecEndpoint ? { codecEndpoint: runtime.engine.codecEndpoint } : {}),
        }
      : 'inCluster' in environment.engine
        ? inClusterEngine(environment.engine.inCluster, kubernetes)
        : externalEngine(environment.engine, config);
  const encryption = encryptionOf(environment, config);
  const directory = stateDir(config, environment.name);
  const plugin = runtime?.vault?.kubernetesAuthPlugin;
  return {
    kubernetes,
    engine: encryption === undefined ? engine : { ...engine, encryption },
    vault: {
      kubernetesHost:
        environment.vault.kubernetesHost !== 'auto'
          ? environment.vault.kubernetesHost
          : // A Vault in a pod sees what every pod sees.
            embeddedCluster && (runtime === undefined || runtime.vault !== undefined)
            ? (runtime?.cluster?.server ?? missing('cluster'))
            : 'https://kubernetes.default.svc',
      keysFile:
        (environment.vault.keys.store === 'file' ? environment.vault.keys.path : undefined) ??
        join(directory, 'vault-keys.json'),
      ...(plugin ? { kubernetesAuthPlugin: plugin } : {}),
    },
    helm: runtime?.tools['helm'],
    stateDir: directory,
  };
}

/** A cluster of somebody else, as the environment and KUBECONFIG name it; undefined where it is ours. */
export function otherCluster(
  { cluster }: Pick<Environment, 'cluster'>,
  config: Pick<Config, 'pod' | 'kubeconfig' | 'repoRoot' | 'proxies'>,
): Connections['kubernetes'] | undefined {
  if (!('context' in cluster)) return undefined;
  if (config.pod) return { kubeconfig: '', inCluster: true };
  const { context, kubeconfig } = cluster;
  return {
    kubeconfig: kubeconfig === undefined ? config.kubeconfig : resolve(config.repoRoot, kubeconfig),
    context,
    inCluster: context === 'in-cluster',
    proxies: config.proxies,
  };
}

function inClusterEngine(
  { namespace }: { namespace: string },
  kubernetes: Connections['kubernetes'],
): Connections['engine'] {
  const { namespace: place, engine: release, enginePort: port } = IN_CLUSTER;
  return {
    address: `${release}.${place}.svc:7233`,
    namespace,
    ...(kubernetes.inCluster ? {} : { tunnel: { kubernetes, namespace: place, release, port } }),
  };
}

/** Where the keys of the environment's histories are, on this machine or in this pod; undefined: they are plain. */
export function encryptionOf(
  { name, encryption }: Pick<Environment, 'name' | 'encryption'>,
  config: Pick<Config, 'pod' | 'repoRoot' | 'stateRoot'>,
): EncryptionConnection | undefined {
  if (encryption === undefined) return undefined;
  const { keysFile, keysCommand, mode } = encryption;
  const here =
    keysFile === undefined ? join(config.stateRoot, name, HISTORY_KEYS_FILE) : resolve(config.repoRoot, keysFile);
  return {
    environment: name,
    mode,
    cwd: config.repoRoot,
    // In a pod there is what `install` has put there, wherever it had it from.
    ...(config.pod
      ? { keysFile: join(config.pod.engineAccessDir, HISTORY_KEYS_FILE) }
      : { keysFile: here, ...(keysCommand === undefined ? {} : { keysCommand }) }),
  };
}

/** In the state folder, and in a pod beside what opens an engine outside of the cluster. */
export const HISTORY_KEYS_FILE = 'history-keys.json';

/** The names under which a pod finds what the environment file names on the machine of whoever wrote it. */
export const ENGINE_ACCESS_FILES = { ca: 'ca.crt', cert: 'tls.crt', key: 'tls.key', apiKey: 'api-key' } as const;

function externalEngine(
  engine: ExternalEngine,
  { pod, repoRoot, proxies }: Pick<Config, 'pod' | 'repoRoot' | 'proxies'>,
): Connections['engine'] {
  const { address, namespace, tls, apiKeyFile } = engine;
  const placed = (path: string, name: keyof typeof ENGINE_ACCESS_FILES): string =>
    pod ? join(pod.engineAccessDir, ENGINE_ACCESS_FILES[name]) : resolve(repoRoot, path);
  const files =
    typeof tls === 'object'
      ? Object.fromEntries(
          Object.entries(tls).flatMap(([name, value]) =>
            value === undefined
              ? []
              : [[name, name === 'ca' || name === 'cert' || name === 'key' ? placed(value, name) : value]],
          ),
        )
      : tls;
  return {
    address,
    namespace,
    proxies,
    tls: files,
    ...(apiKeyFile === undefined ? {} : { apiKeyFile: placed(apiKeyFile, 'apiKey') }),
  };
}

export type ExternalEngine = Extract<Environment['engine'], { address: string }>;
