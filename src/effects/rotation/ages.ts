/** Since when values are what they are: as Vault knows it, without a value. */
import type { Catalog } from '../../catalog/schema.ts';
import { historyOfKv, type KvHistory, type VaultSession } from '../../clients/vault/index.ts';
import { secretText } from '../../plan/rotation/rotatable.ts';
import { readDates, type RotationDates } from './record.ts';

export interface SecretAge extends Pick<RotationDates, 'begun'> {
  /** ISO 8601; absent where nobody knows. */
  since?: string;
}

/** Of every generated value, by `path key`: one request a path. */
export async function readAges(
  session: VaultSession,
  { secretPaths }: Pick<Catalog, 'secretPaths'>,
  signal?: AbortSignal,
): Promise<Map<string, SecretAge>> {
  const [dates, ...histories] = await Promise.all([
    readDates(session, signal),
    ...secretPaths.map(({ path }) => historyOfKv(session, path, signal)),
  ] as const);
  return new Map(
    secretPaths.flatMap(({ path, keys }, at) =>
      keys
        .filter(({ kind }) => kind === 'generated')
        .map(({ name: key }): [string, SecretAge] => {
          const { ended, begun } = dates({ path, key });
          const since = validSince(ended, histories[at]);
          return [
            secretText({ path, key }),
            { ...(since === undefined ? {} : { since }), ...(begun === undefined ? {} : { begun }) },
          ];
        }),
    ),
  );
}

/**
 * Since when a generated value is in use: since its last rotation or, where it was never rotated, since the oldest
 * version that Vault still has.
 *
 * @param ended when its last rotation ended, ISO 8601
 * @returns ISO 8601; undefined: neither is known
 */
export function validSince(ended: string | undefined, history: KvHistory | undefined): string | undefined {
  return ended ?? history?.versions.at(-1)?.createdAt;
}
