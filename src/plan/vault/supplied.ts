/** Values that third parties issue: who has to be asked for what before a deployment. */
import type { Catalog } from '../../catalog/schema.ts';

export interface SuppliedKey {
  path: string;
  key: string;
  description: string;
  /** False where a placeholder stands in until the platform itself can issue the value. */
  required: boolean;
}

/** All keys that `ananta secrets set` is for. */
export function suppliedKeys(catalog: Catalog): SuppliedKey[] {
  return catalog.secretPaths.flatMap(({ path, keys }) =>
    keys.flatMap((key) =>
      key.kind === 'supplied'
        ? [{ path, key: key.name, description: key.description, required: key.initially === 'required' }]
        : [],
    ),
  );
}
