/** Volumes whose data were made with values from Vault: a new value would lock everybody out of them. Pure. */
import type { Catalog } from '../../catalog/schema.ts';
import { INSTANCE_LABEL, VAULT } from '../../contract/names.ts';
import { allReleases, releasesOf } from '../releases.ts';

export interface DataClaim {
  service: string;
  namespace: string;
  name: string;
}

export interface SeenClaim {
  namespace: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  /** A volume belongs to it: one that never had any holds nothing. */
  bound: boolean;
}

/** Stateful services whose servers were initialised with a generated value, Vault itself not among them. */
export function keepers(catalog: Catalog): { service: string; namespace: string; paths: string[] }[] {
  return catalog.services
    .filter(({ stateful, name }) => stateful && name !== VAULT.service)
    .map((service) => ({
      service: service.name,
      namespace: service.namespace,
      paths: [...new Set(releasesOf(service).flatMap(({ secrets }) => secrets.map(({ path }) => path)))].filter(
        (path) => generatedKeys(catalog).some((key) => key.path === path),
      ),
    }))
    .filter(({ paths }) => paths.length > 0);
}

/** Those of the keepers, by name. */
export function dataClaims(catalog: Catalog, seen: readonly SeenClaim[]): DataClaim[] {
  const owners = new Map(keepers(catalog).map(({ service, namespace }) => [`${namespace}/${service}`, service]));
  return seen
    .flatMap(({ namespace, name, labels, bound }) => {
      const service = owners.get(`${namespace}/${labels[INSTANCE_LABEL] ?? ''}`);
      return service === undefined || !bound ? [] : [{ service, namespace, name }];
    })
    .sort((a, b) => a.service.localeCompare(b.service) || a.name.localeCompare(b.name));
}

export interface KeyOfPath {
  path: string;
  key: string;
}

/** Values that are generated once and never again, of the paths that somebody reads. */
export function generatedKeys(catalog: Catalog): KeyOfPath[] {
  return catalog.secretPaths.flatMap(({ path, keys }) =>
    keys.filter(({ kind }) => kind === 'generated').map(({ name }) => ({ path, key: name })),
  );
}

/**
 * Keys that nobody needs any more once the data of some services are given up: those that no other data depend on.
 * @param givenUp names of services
 */
export function releasedKeys(catalog: Catalog, claims: readonly DataClaim[], givenUp: readonly string[]): KeyOfPath[] {
  const left = new Set(claims.map(({ service }) => service).filter((service) => !givenUp.includes(service)));
  if (left.size === 0) return generatedKeys(catalog);
  const usedBy = (path: string): string[] => [
    ...new Set(
      allReleases(catalog)
        .filter(({ secrets }) => secrets.some((use) => use.path === path))
        .map(({ service }) => service),
    ),
  ];
  const kept = new Set(
    keepers(catalog)
      .filter(({ service }) => left.has(service))
      .flatMap(({ paths }) => paths),
  );
  return generatedKeys(catalog).filter(
    ({ path }) => !kept.has(path) && usedBy(path).some((service) => givenUp.includes(service)),
  );
}
