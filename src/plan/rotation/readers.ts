/** Who has to be restarted before a former value may be refused. Pure. */
import type { Catalog, Service } from '../../catalog/schema.ts';
import { allReleases, type Release } from '../releases.ts';
import { secretNameOf } from '../vault/kubernetes-secrets.ts';
import type { Rotatable } from './rotatable.ts';

export interface Reader {
  release: Release;
  /** Names of the Secrets in its namespace. */
  secrets: string[];
}

/** Services that keep values of the path themselves: the rotation itself gives them a new one. */
export function serversOf({ secretPaths }: Pick<Catalog, 'secretPaths'>, path: string): Set<string> {
  const keys = secretPaths.find((candidate) => candidate.path === path)?.keys ?? [];
  return new Set(
    keys.flatMap((key) =>
      key.kind === 'generated' && key.rotation !== undefined && 'server' in key.rotation ? [key.rotation.server] : [],
    ),
  );
}

/** Releases with pods that read a Kubernetes Secret made from one of the paths; Jobs have run, servers keep theirs. */
export function readersOf(catalog: Catalog, secrets: readonly Pick<Rotatable, 'path'>[]): Reader[] {
  const paths = new Set(secrets.map(({ path }) => path));
  return allReleases(catalog).flatMap((release) => {
    if (release.kind !== 'release' || release.job || release.image === undefined) return [];
    const read = release.secrets.filter(
      ({ path, delivery }) =>
        paths.has(path) && delivery === 'kubernetes' && !serversOf(catalog, path).has(release.service),
    );
    return read.length === 0 ? [] : [{ release, secrets: [...new Set(read.map(secretNameOf))] }];
  });
}

/** Those that log in to Vault for a path of which a value is rotated: nobody knows when they read it again. */
export function loginReaders({ services }: Pick<Catalog, 'services'>, path: string): Service[] {
  return services.filter(({ secrets }) => secrets.some((use) => use.path === path && use.delivery === 'login'));
}
