/** Secret values that the Job of a check gets: registered with the redactor before the Job can print them. */
import { decodedData, paths } from '../../clients/kubernetes/index.ts';
import type { Clients } from '../../clients/index.ts';
import type { SecretVariable } from '../../plan/checks/secrets.ts';
import { registerSecretValues } from '../vault/register-values.ts';

/** @returns what is missing, in words; undefined: every Secret has its key */
export async function registerJobSecrets(
  { kubernetes, catalog, redactor }: Pick<Clients, 'kubernetes' | 'catalog' | 'redactor'>,
  namespace: string,
  variables: readonly SecretVariable[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const names = [...new Set(variables.map(({ secret }) => secret))];
  const secrets = new Map(
    await Promise.all(
      names.map(async (name) => [name, await kubernetes.get(paths.secret(namespace, name), signal)] as const),
    ),
  );
  for (const { name, secret, key, path } of variables) {
    const found = secrets.get(secret);
    const value = decodedData(found)[key];
    if (value === undefined)
      return `its variable ${name} comes from Secret ${namespace}/${secret}, which ${found === undefined ? 'is not there' : `has no key ${key}`}`;
    registerSecretValues(
      redactor,
      catalog.secretPaths.find((declared) => declared.path === path),
      { [key]: value },
    );
  }
  return undefined;
}
