/** Whatever describes a platform, made into a catalog that can be relied on. */
import { checkReferences } from './check/references.ts';
import { CatalogError, problemsOfShape } from './problems.ts';
import { catalogSchema, type Catalog } from './schema.ts';

/** In which file a part of the catalog is written. @param module of a service */
export type FileOf = (section: string, module?: string) => string;

/**
 * Validates shape and cross references.
 * @throws CatalogError that lists every problem with its file and field
 */
export function validateCatalog(input: unknown, fileOf: FileOf): Catalog {
  const parsed = catalogSchema.safeParse(input);
  const problems = parsed.success ? checkReferences(parsed.data) : problemsOfShape(parsed.error, input);
  if (!parsed.success || problems.length > 0) {
    throw new CatalogError(
      problems.map(({ section, module, field, message }) => ({ file: fileOf(section, module), field, message })),
    );
  }
  return parsed.data;
}
