/** Which Kubernetes Secrets have to be made from Vault, where, and with which keys. */
import type { Catalog, SecretUse } from '../../catalog/schema.ts';
import { kubernetesSecretName } from '../../contract/names.ts';
import { allReleases } from '../releases.ts';

export interface WantedSecret {
  namespace: string;
  /** Name of the Secret. */
  name: string;
  /** Vault path that its values come from. */
  path: string;
  /** Sorted; keys of the path, and of the Secret. */
  keys: string[];
  /** Labels that a reader of the Secret requires. */
  labels: Record<string, string>;
}

/** Name of the Secret that a use refers to. */
export function secretNameOf(use: SecretUse): string {
  return use.secretName ?? kubernetesSecretName(use.path);
}

/** Keys that a use asks for: those it names, else all of the path. */
export function keysOf(catalog: Catalog, use: SecretUse): string[] {
  return use.keys ?? catalog.secretPaths.find(({ path }) => path === use.path)?.keys.map(({ name }) => name) ?? [];
}

/** One Secret per namespace and name, with exactly the keys that somebody in the namespace needs. */
export function wantedSecrets(catalog: Catalog): WantedSecret[] {
  const wanted = new Map<string, WantedSecret>();
  for (const { namespace, secrets } of allReleases(catalog)) {
    for (const use of secrets.filter(({ delivery }) => delivery === 'kubernetes')) {
      const name = secretNameOf(use);
      const before = wanted.get(`${namespace}/${name}`);
      wanted.set(`${namespace}/${name}`, {
        namespace,
        name,
        path: use.path,
        keys: [...new Set([...(before?.keys ?? []), ...keysOf(catalog, use)])].sort(),
        labels: { ...before?.labels, ...use.labels },
      });
    }
  }
  return [...wanted.values()].sort((a, b) => a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name));
}
