/** Declared paths as Vault holds them: keys of ours are text, whatever else somebody keeps beside them. */
import type { SecretPath } from '../../catalog/schema.ts';
import { type KvEntry, SecretFormatError, typeName } from '../../clients/vault/index.ts';
import { VAULT } from '../../contract/names.ts';

/** Keys of ours that hold something else than text, with what they hold: `a number`, `null`. */
export function keysWithoutText(
  { keys }: Pick<SecretPath, 'keys'>,
  entry: Pick<KvEntry, 'other'> | undefined,
): Map<string, string> {
  return new Map(
    keys.flatMap(({ name }) =>
      entry !== undefined && Object.hasOwn(entry.other, name) ? [[name, typeName(entry.other[name])] as const] : [],
    ),
  );
}

/**
 * No value of ours is made up, or left out, where something that is no text stands in its place.
 * @throws SecretFormatError that names every such path and key
 */
export function requireText(found: readonly { declared: SecretPath; entry: KvEntry | undefined }[]): void {
  const lines = found.flatMap(({ declared, entry }) =>
    [...keysWithoutText(declared, entry)].map(
      ([key, type]) =>
        `  ${VAULT.kvMount}/${declared.path}, key ${key}: ${type} (version ${entry?.version ?? '?'}). ` +
        `Put it right with: vault kv patch ${VAULT.kvMount}/${declared.path} ${key}=-   (the value on standard input)`,
    ),
  );
  if (lines.length === 0) return;
  throw new SecretFormatError(
    [
      `${lines.length === 1 ? 'A value in Vault is' : `${lines.length} values in Vault are`} no text. ` +
        'Nothing was made up in its place, nothing was written:',
      ...lines,
    ].join('\n'),
  );
}
