/** Everything that can be found wrong without touching anything. */
import { loadCatalog } from '../../catalog/index.ts';
import type { Catalog } from '../../catalog/schema.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import { checkImages } from '../arguments.ts';
import type { CliContext } from '../context.ts';

export interface Prepared {
  environment: Environment;
  catalog: Catalog;
}

/**
 * Loads and validates environment and catalog.
 * @param imageTags from the command line
 * @throws ConfigurationError, CatalogError, or CliError (refused) for a service that does not exist
 */
export async function preflight(context: CliContext, environmentName: string, imageTags: Record<string, string> = {}): Promise<Prepared> {
  const environment = await loadEnvironment(environmentName, context.config);
  const catalog = loadCatalog();
  checkImages(imageTags, catalog.services.map(({ name }) => name));
  return { environment, catalog };
}
