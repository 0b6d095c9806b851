/** Which Kubernetes Secrets the Job of a check reads. Pure. */
import type { Catalog, JobCheck, Service } from '../../catalog/schema.ts';
import { kubernetesSecretName } from '../../contract/names.ts';
import { wantedSecrets } from '../vault/kubernetes-secrets.ts';

export interface SecretVariable {
  /** Of the variable. */
  name: string;
  /** Of the Secret, in the service's namespace. */
  secret: string;
  key: string;
  /** Vault path that it is made from; absent: others make it. */
  path?: string;
}

export function secretVariables(
  catalog: Catalog,
  { namespace }: Pick<Service, 'namespace'>,
  { secretEnv = {} }: Pick<JobCheck, 'secretEnv'>,
): SecretVariable[] {
  const references = Object.entries(secretEnv);
  if (references.length === 0) return [];
  const made = wantedSecrets(catalog).filter((one) => one.namespace === namespace);
  return references.map(([name, reference]) => {
    const { key } = reference;
    if ('secret' in reference) return { name, secret: reference.secret, key };
    const { path } = reference;
    const found = made.find((one) => one.path === path && one.keys.includes(key));
    return { name, secret: found?.name ?? kubernetesSecretName(path), key, path };
  });
}
