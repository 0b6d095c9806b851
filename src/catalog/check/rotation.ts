/** Rotations that the catalog declares: what they name has to be there, and nothing may be left behind. */
import { type PlacedProblem, unknown } from '../problems.ts';
import type { Catalog, SecretKey, SecretPath } from '../schema.ts';

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
  if ('admin' in rotation && rotation.admin !== undefined) {
    const { path: at, key: secret, username } = rotation.admin;
    const adminPath = catalog.secretPaths.find((candidate) => candidate.path === at);
    for (const wanted of [secret, ...(username === undefined ? [] : [username])])
      if (!adminPath?.keys.some(({ name }) => name === wanted))
        found.push(`there is no key "${wanted}" of secret path "${at}"`);
    if (username === undefined && rotation.system === 'minio')
      found.push(`it does not say which key of ${at} names the administrator (admin.username)`);
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
