/** Which generated values can be rotated, and why the others cannot. Pure. */
import type { Catalog, RotationSystem, SecretKey, SecretPath } from '../../catalog/schema.ts';
import type { RotateSelection, SecretName } from '../../contract/operations/secret-name.ts';
import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';
import { suggestion } from '../../suggest.ts';
import { usernameKeyOf } from './login.ts';

/** The values that were asked for cannot be rotated. Nothing was changed. */
export class RotationRefusedError extends AnantaError {
  override name = 'RotationRefusedError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
}

type Generated = Extract<SecretKey, { kind: 'generated' }>;

export interface Rotatable extends SecretName {
  rotation: RotationSystem;
  /** The value as the catalog declares it. */
  declared: Generated;
  /** The name by which its readers log in at first; empty where they give none. */
  username: string;
}

export interface Chosen {
  rotatable: Rotatable[];
  /** Generated values that were asked for as part of more, and are left: one line each. */
  left: string[];
}

export function secretText({ path, key }: SecretName): string {
  return `${path} ${key}`;
}

/** @returns why not, in words, where it cannot be rotated */
export function rotatableOf(path: SecretPath, key: SecretKey): Rotatable | string {
  const name = secretText({ path: path.path, key: key.name });
  if (key.kind !== 'generated')
    return `${name} is not generated here, so it is not rotated here${key.kind === 'supplied' ? ': a third party issues it, and "secrets set" takes the new one' : ''}.`;
  const { rotation } = key;
  if (rotation === undefined) return `Rotation of ${name} is not known to the catalog.`;
  if ('refused' in rotation) return `${name} is never simply replaced: ${rotation.refused}`;
  const named = path.keys.find((candidate) => candidate.name === usernameKeyOf(rotation));
  return {
    path: path.path,
    key: key.name,
    rotation,
    declared: key,
    username: named?.kind === 'fixed' ? named.value : '',
  };
}

/** @throws RotationRefusedError */
export function findRotatable({ secretPaths }: Pick<Catalog, 'secretPaths'>, { path, key }: SecretName): Rotatable {
  const declared = findPath(secretPaths, path);
  const found = declared.keys.find(({ name }) => name === key);
  if (found === undefined)
    throw new RotationRefusedError(
      `secret/${path} has no key "${key}"${
        suggestion(
          key,
          declared.keys.map(({ name }) => name),
        ) || `; it has ${declared.keys.map(({ name }) => name).join(', ')}.`
      }`,
    );
  const rotatable = rotatableOf(declared, found);
  if (typeof rotatable === 'string') throw new RotationRefusedError(`${rotatable} Nothing was changed.`);
  return rotatable;
}

/**
 * What a request is about, before ages are looked at.
 * @throws RotationRefusedError for what is asked for by name and cannot be rotated
 */
export function chooseSecrets(
  catalog: Pick<Catalog, 'secretPaths'>,
  { secrets }: Pick<RotateSelection, 'secrets'>,
): Chosen {
  const paths = secrets === undefined ? catalog.secretPaths.map(({ path }) => ({ path })) : secrets;
  const chosen: Chosen = { rotatable: [], left: [] };
  for (const { path, key } of paths as NonNullable<typeof secrets>) {
    if (key !== undefined) {
      chosen.rotatable.push(findRotatable(catalog, { path, key }));
      continue;
    }
    const declared = findPath(catalog.secretPaths, path);
    const all = declared.keys.filter(({ kind }) => kind === 'generated').map((each) => rotatableOf(declared, each));
    const found = all.filter((each) => typeof each !== 'string');
    const reasons = all.filter((each) => typeof each === 'string');
    if (secrets !== undefined && found.length === 0)
      throw new RotationRefusedError(
        [`Nothing of secret/${path} can be rotated. Nothing was changed.`, ...reasons.map((line) => `  ${line}`)].join(
          '\n',
        ),
      );
    chosen.rotatable.push(...found);
    chosen.left.push(...reasons);
  }
  const seen = new Set<string>();
  chosen.rotatable = chosen.rotatable.filter((each) => {
    const name = secretText(each);
    return seen.has(name) ? false : seen.add(name);
  });
  return chosen;
}

function findPath(secretPaths: Catalog['secretPaths'], path: string): SecretPath {
  const found = secretPaths.find((candidate) => candidate.path === path);
  if (found !== undefined) return found;
  const known = secretPaths.map((candidate) => candidate.path);
  throw new RotationRefusedError(`There is no secret path "${path}"${suggestion(path, known) || '.'}`);
}
