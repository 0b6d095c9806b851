/** Secrets of the deployer in the cluster. Values are sent to the API server and are neither logged nor kept. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type KubernetesClient, KubernetesError, paths } from '../../clients/kubernetes/index.ts';
import type { Config } from '../../config.ts';
import { IN_CLUSTER, MANAGED_BY, MANAGED_BY_LABEL } from '../../contract/names.ts';
import { ENGINE_ACCESS_FILES, encryptionOf, HISTORY_KEYS_FILE } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import { refused } from '../shared/failure.ts';

type Store = Pick<KubernetesClient, 'get' | 'create' | 'apply'>;

const { namespace } = IN_CLUSTER;
const PASSWORD_BYTES = 24;
/** Made by the StatefulSet from its template `data`, for its only pod. */
const DATABASE_CLAIM = `data-${IN_CLUSTER.database}-0`;

export async function hasDatabasePassword(kubernetes: Pick<Store, 'get'>, signal?: AbortSignal): Promise<boolean> {
  return (await kubernetes.get(paths.secret(namespace, IN_CLUSTER.databaseSecret), signal)) !== undefined;
}

/**
 * The password of the engine's database, made once: a server takes it only when its volume is empty.
 * @returns whether it was made now
 * @throws CliError (refused) where there is a volume, but no password for it
 */
export async function ensureDatabasePassword(kubernetes: Store, signal?: AbortSignal): Promise<boolean> {
  if (await hasDatabasePassword(kubernetes, signal)) return false;
  if (await kubernetes.get(`${paths.persistentVolumeClaims(namespace)}/${DATABASE_CLAIM}`, signal)) {
    throw refused(
      `The engine's database has its volume (${namespace}/${DATABASE_CLAIM}), but the Secret ${namespace}/${IN_CLUSTER.databaseSecret} with its password is gone. Another password would lock the engine out.`,
      `Restore the Secret from your backup, or set a new password for the role temporal inside of the pod and create the Secret with it (key: password).`,
    );
  }
  try {
    await kubernetes.create(
      paths.secrets(namespace),
      secretOf(IN_CLUSTER.databaseSecret, { password: randomBytes(PASSWORD_BYTES).toString('base64url') }),
      signal,
    );
    return true;
  } catch (error) {
    // Somebody else's `install` was faster; its password holds.
    if (error instanceof KubernetesError && error.reason === 'AlreadyExists') return false;
    throw error;
  }
}

/**
 * Which files of this machine open the engine of the environment; empty for one in the cluster, and for one that asks
 * for nothing.
 */
export function engineAccessFiles({ engine }: Pick<Environment, 'engine'>): { key: string; path: string }[] {
  if (!('address' in engine)) return [];
  const tls = typeof engine.tls === 'object' ? engine.tls : {};
  const paths: Record<keyof typeof ENGINE_ACCESS_FILES, string | undefined> = {
    ca: tls.ca,
    cert: tls.cert,
    key: tls.key,
    apiKey: engine.apiKeyFile,
  };
  return (Object.keys(ENGINE_ACCESS_FILES) as (keyof typeof ENGINE_ACCESS_FILES)[]).flatMap((name) =>
    paths[name] === undefined ? [] : [{ key: ENGINE_ACCESS_FILES[name], path: paths[name] }],
  );
}

/**
 * Contents of these files, read before anything is touched. @throws CliError (refused) naming the file that cannot be
 * read
 */
export async function readEngineAccess(
  environment: Pick<Environment, 'engine' | 'name'>,
): Promise<Record<string, string>> {
  return Object.fromEntries<string>(
    await Promise.all(
      engineAccessFiles(environment).map(
        async ({ key, path }): Promise<[string, string]> => [
          key,
          await readFile(path, 'utf8').catch((error: unknown): never => {
            throw refused(
              `The file ${path}, with which the workers are to open the engine, cannot be read: ${error instanceof Error ? error.message : String(error)}`,
              `Correct "engine" in environments/${environment.name}.yaml, or bring the file here.`,
            );
          }),
        ],
      ),
    ),
  );
}

/** Keys of encrypted histories, as they are here now. @throws HistoryKeysError */
export async function readHistoryKeys(
  environment: Pick<Environment, 'name' | 'encryption'>,
  config: Config,
): Promise<Record<string, string>> {
  const encryption = encryptionOf(environment, config);
  if (encryption === undefined) return {};
  const { readRing } = await import('../../clients/temporal/encryption/source.ts');
  return { [HISTORY_KEYS_FILE]: `${JSON.stringify(await readRing(encryption))}\n` };
}

/** As it is on this machine now: certificates and keys are renewed by running `install` again. */
export async function applyEngineAccess(
  kubernetes: Store,
  files: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<void> {
  await kubernetes.apply(
    paths.secret(namespace, IN_CLUSTER.engineAccessSecret),
    secretOf(IN_CLUSTER.engineAccessSecret, files),
    { force: true },
    signal,
  );
}

function secretOf(name: string, values: Readonly<Record<string, string>>): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { name, namespace, labels: { [MANAGED_BY_LABEL]: MANAGED_BY } },
    data: Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
  };
}
