/** Reads a value of which the environment's file only names the place. It is never shown, nor part of an error. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Clients } from '../../clients/index.ts';
import { decodedData, paths } from '../../clients/kubernetes/index.ts';
import { readKv } from '../../clients/vault/kv.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { ValueReference } from '../../environment/fields/formats/reference.ts';

export type Resolving = Pick<Clients, 'config' | 'kubernetes' | 'vault' | 'redactor'>;

/**
 * @param clusterUid of the environment: a cluster of somebody else is not believed
 * @throws DeployError (invalidInput) where there is nothing; whatever cluster or Vault fail with, which may pass
 */
export async function resolveReference(
  clients: Resolving,
  { reference, field, clusterUid }: { reference: ValueReference; field: string; clusterUid: string },
  signal: AbortSignal,
): Promise<string> {
  const { value, place } = await read(clients, reference, field, clusterUid, signal);
  const text = value?.trim() ?? '';
  if (text === '')
    throw new DeployError(
      FAILURES.invalidInput,
      `${field} ${place} ${value === undefined ? 'is not there' : 'is empty'}`,
    );
  clients.redactor.learn(text);
  return text;
}

async function read(
  { config, kubernetes, vault }: Resolving,
  reference: ValueReference,
  field: string,
  clusterUid: string,
  signal: AbortSignal,
): Promise<{ value: string | undefined; place: string }> {
  if ('file' in reference) {
    const place = reference.file;
    try {
      return { place, value: await readFile(resolve(config.repoRoot, place), 'utf8') };
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException;
      throw new DeployError(FAILURES.invalidInput, `${field} ${place} cannot be read where the worker runs (${code})`);
    }
  }
  if ('env' in reference)
    return {
      place: `(variable ${reference.env} of the worker's environment)`,
      value: config.userEnv[reference.env],
    };
  await kubernetes.assertCluster({ uid: clusterUid }, signal);
  if ('secret' in reference) {
    const { namespace, name, key } = reference.secret;
    const found = await kubernetes.get(paths.secret(namespace, name), signal);
    return { place: `(key ${key} of Secret ${namespace}/${name})`, value: decodedData(found)[key] };
  }
  const { path, key } = reference.vault;
  const entry = await vault.asDeployer((session) => readKv(session, path, signal), signal);
  return { place: `(key ${key} of secret/${path} in Vault)`, value: entry?.data[key] };
}
