/** Schemas of kinds that charts bring along. Pure. */
import { isTree, type Tree } from '../../environment/files/merge.ts';
import type { Schema } from './schemas.ts';

/** @returns by `<apiVersion>/<kind>` */
export function definedKinds(objects: readonly Tree[]): Map<string, Schema> {
  const found = new Map<string, Schema>();
  for (const { kind, spec } of objects) {
    if (kind !== 'CustomResourceDefinition' || !isTree(spec)) continue;
    const { group, names, versions } = spec;
    if (!Array.isArray(versions) || !isTree(names)) continue;
    for (const version of versions.filter(isTree)) {
      const schema = isTree(version['schema']) ? version['schema']['openAPIV3Schema'] : undefined;
      if (isTree(schema)) found.set(`${String(group)}/${String(version['name'])}/${String(names['kind'])}`, schema);
    }
  }
  return found;
}
