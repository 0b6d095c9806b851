/** Values that the Job of a check gets: known before it can write them anywhere, so that nobody is shown one. */
import { z } from 'zod';
import { paths } from '../../clients/kubernetes/index.ts';
import type { Clients } from '../../clients/index.ts';
import type { SecretVariable } from '../../plan/checks/secrets.ts';
import { registerSecretValues } from '../vault/learn.ts';

const dataSchema = z.looseObject({ data: z.record(z.string(), z.string()).optional() });

/** @returns what is missing, in words; undefined: every Secret has its key */
export async function learnSecrets(
  { kubernetes, catalog, redactor }: Pick<Clients, 'kubernetes' | 'catalog' | 'redactor'>,
  namespace: string,
  variables: readonly SecretVariable[],
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const { name, secret, key, path } of variables) {
    const found = await kubernetes.get(paths.secret(namespace, secret), signal);
    const value = dataSchema.parse(found ?? {}).data?.[key];
    if (value === undefined)
      return `its variable ${name} comes from Secret ${namespace}/${secret}, which ${found === undefined ? 'is not there' : `has no key ${key}`}`;
    registerSecretValues(
      redactor,
      catalog.secretPaths.find((declared) => declared.path === path),
      { [key]: Buffer.from(value, 'base64').toString('utf8') },
    );
  }
  return undefined;
}
