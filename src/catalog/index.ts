/** The catalog as everybody else uses it: put together from its files, validated, read once. */
import { UPSTREAM_CHARTS } from './charts.ts';
import { checkReferences } from './check.ts';
import { DATABASES, MIGRATIONS } from './databases.ts';
import { BUCKET_SETS, REALM, TEMPORAL_NAMESPACES } from './init.ts';
import { APPLICATION_SET, NAMESPACES } from './namespaces.ts';
import { PHASES } from './phases.ts';
import { CatalogError, problemsOfShape } from './problems.ts';
import { catalogSchema, type Catalog, type CatalogInput } from './schema.ts';
import { SECRET_PATHS } from './secrets.ts';
import { SERVICES } from './services/index.ts';

export { CatalogError } from './problems.ts';
export type { CatalogProblem } from './problems.ts';

/** The platform as written below src/catalog, not yet validated. */
export const PLATFORM: CatalogInput = {
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

/**
 * Validates shape and cross references.
 * @throws CatalogError that lists every problem with its file and field
 */
export function checkCatalog(input: unknown): Catalog {
  const parsed = catalogSchema.safeParse(input);
  if (!parsed.success) throw new CatalogError(problemsOfShape(parsed.error, input));
  const problems = checkReferences(parsed.data);
  if (problems.length > 0) throw new CatalogError(problems);
  return parsed.data;
}

let loaded: Catalog | undefined;

/** @throws CatalogError when the catalog contradicts itself */
export function loadCatalog(): Catalog {
  return (loaded ??= checkCatalog(PLATFORM));
}
