/** The catalog of the Ananta Platform: put together from its files, validated, read once. */
import { UPSTREAM_CHARTS } from './charts.ts';
import { DATABASES, MIGRATIONS } from './databases.ts';
import { BUCKET_SETS, REALM, TEMPORAL_NAMESPACES } from './init.ts';
import { APPLICATION_SET, NAMESPACES } from './namespaces.ts';
import { PHASES } from './phases.ts';
import type { Catalog, CatalogInput } from './schema.ts';
import { SECRET_PATHS } from './secrets.ts';
import { SERVICES } from './services/index.ts';
import { validateCatalog } from './validate.ts';

export { CatalogError } from './problems.ts';
export type { CatalogProblem } from './problems.ts';

/** The platform as written below src/catalog, not yet validated. */
export const PLATFORM: CatalogInput = {
  name: 'ananta',
  title: 'Ananta Platform',
  phases: PHASES,
  namespaces: NAMESPACES,
  upstreamCharts: UPSTREAM_CHARTS,
  secretPaths: SECRET_PATHS,
  databases: DATABASES,
  migrations: MIGRATIONS,
  bucketSets: BUCKET_SETS,
  realm: REALM,
  temporalNamespaces: TEMPORAL_NAMESPACES,
  applicationSet: APPLICATION_SET,
  services: SERVICES,
};

/** Where each part of it is written. */
const FILES: Record<string, string> = {
  phases: 'phases.ts',
  namespaces: 'namespaces.ts',
  applicationSet: 'namespaces.ts',
  upstreamCharts: 'charts.ts',
  secretPaths: 'secrets.ts',
  databases: 'databases.ts',
  migrations: 'databases.ts',
  bucketSets: 'init.ts',
  realm: 'init.ts',
  temporalNamespaces: 'init.ts',
  prometheus: 'index.ts',
  services: 'services/index.ts',
};

function fileOf(section: string, module?: string): string {
  return `src/catalog/${section === 'services' && module !== undefined ? `services/${module}.ts` : (FILES[section] ?? 'index.ts')}`;
}

/**
 * Validates shape and cross references.
 * @throws CatalogError that lists every problem with its file and field
 */
export function checkCatalog(input: unknown): Catalog {
  return validateCatalog(input, fileOf);
}

let loaded: Catalog | undefined;

/** @throws CatalogError when the catalog contradicts itself */
export function loadCatalog(): Catalog {
  return (loaded ??= checkCatalog(PLATFORM));
}
