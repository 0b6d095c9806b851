/** Which readers of a value have to be restarted before the former value may be refused. Pure. */
import type { Catalog, SecretUse, Service } from '../../catalog/schema.ts';
import { allReleases, type Release } from '../releases.ts';
import { keysOf, secretNameOf } from '../vault/kubernetes-secrets.ts';
import { usernameKeyOf } from './login.ts';
import type { Rotatable } from './rotatable.ts';

export interface Reader {
  release: Release;
  /** Names of the Secrets in its namespace. */
  secrets: string[];
}

/** The services whose servers store the values of this path: a rotation changes the value in the server itself. */
export function serversOf({ secretPaths }: Pick<Catalog, 'secretPaths'>, path: string): Set<string> {
  const keys = secretPaths.find((candidate) => candidate.path === path)?.keys ?? [];
  return new Set(
    keys.flatMap((key) =>
      key.kind === 'generated' && key.rotation !== undefined && 'server' in key.rotation ? [key.rotation.server] : [],
    ),
  );
}

/**
 * Releases with pods that read one of the values, or its user's name, from a Kubernetes Secret; Jobs have run, servers
 * keep theirs.
 */
export function readersOf(
  catalog: Catalog,
  secrets: readonly Pick<Rotatable, 'path' | 'key' | 'rotation'>[],
): Reader[] {
  return allReleases(catalog).flatMap((release) => {
    if (release.kind !== 'release' || release.job || release.image === undefined) return [];
    const read = release.secrets.filter(
      (use) =>
        use.delivery === 'kubernetes' &&
        secrets.some((secret) => secret.rotation.server !== release.service && reads(catalog, use, secret)),
    );
    return read.length === 0 ? [] : [{ release, secrets: [...new Set(read.map(secretNameOf))] }];
  });
}

function reads(
  catalog: Catalog,
  use: SecretUse,
  { path, key, rotation }: Pick<Rotatable, 'path' | 'key' | 'rotation'>,
): boolean {
  if (use.path !== path) return false;
  const [keys, usernameKey] = [keysOf(catalog, use), usernameKeyOf(rotation)];
  return keys.includes(key) || (usernameKey !== undefined && keys.includes(usernameKey));
}

/** Readers that log in to Vault for a value that is rotated: when they read it again is not known. */
export function loginReaders(catalog: Catalog, secret: Pick<Rotatable, 'path' | 'key' | 'rotation'>): Service[] {
  return catalog.services.filter(({ secrets }) =>
    secrets.some((use) => use.delivery === 'login' && reads(catalog, use, secret)),
  );
}
