/** Rotations that the catalog declares: what they name has to be there, and nothing may be left behind. */
import { type PlacedProblem, unknown } from './problems.ts';
import type { Catalog, SecretKey, SecretPath } from './schema.ts';

export function checkRotations(catalog: Catalog): PlacedProblem[] {
  return catalog.secretPaths.flatMap((path) =>
    path.keys.flatMap((key) =>
      messages(catalog, path, key).map(
        (message): PlacedProblem => ({
          section: 'secretPaths',
          field: `secretPaths.${path.path}.${key.name}.rotation`,
          message,
        }),
      ),
    ),
  );
}

function messages(catalog: Catalog, path: SecretPath, key: SecretKey): string[] {
  if (key.kind !== 'generated' || key.rotation === undefined || !('system' in key.rotation)) return [];
  const { rotation } = key;
  const { server } = rotation;
  const names = catalog.services.map(({ name }) => name);
  const found: string[] = [];
  if (!names.includes(server)) found.push(unknown('service', server, names));
  const fixed = path.keys.filter(({ kind }) => kind === 'fixed').map(({ name }) => name);
  if ('username' in rotation && !fixed.includes(rotation.username))
    found.push(unknown('fixed key', rotation.username, fixed));
  if ('admin' in rotation) {
    const { admin } = rotation;
    const adminPath = catalog.secretPaths.find((candidate) => candidate.path === admin.path);
    if (!adminPath?.keys.some(({ name }) => name === admin.key))
      found.push(`there is no key "${admin.key}" of secret path "${admin.path}"`);
  }
  // Whoever has a copy, or what is made from it, would go on with the former value.
  for (const { path: other, keys } of catalog.secretPaths)
    for (const each of keys)
      if (
        (each.kind === 'copy' && each.from.path === path.path && each.from.key === key.name) ||
        (other === path.path && each.kind === 'jwt' && each.signedWith === key.name) ||
        (other === path.path && each.kind === 'bcrypt' && each.of === key.name)
      )
        found.push(`${other} ${each.name} is made from it, and would keep the former value`);
  return found;
}
