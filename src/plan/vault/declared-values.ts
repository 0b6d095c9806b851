import type { Catalog, SecretPath } from '../../catalog/schema.ts';

/** Paths and keys as far as values are made from them: how a value is replaced later makes none of them another. */
export function declaredValues({ secretPaths }: Pick<Catalog, 'secretPaths'>): SecretPath[] {
  return secretPaths.map((path) => ({
    ...path,
    keys: path.keys.map((key) => {
      if (key.kind !== 'generated') return key;
      const { rotation: _later, ...rest } = key;
      return rest;
    }),
  }));
}
