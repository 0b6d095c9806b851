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
          const history = histories[at];
          const since = ended ?? (history && madeAt(history));
          return [
            secretText({ path, key }),
            { ...(since === undefined ? {} : { since }), ...(begun === undefined ? {} : { begun }) },
          ];
        }),
    ),
  );
}

/** Values are made once: the oldest version that Vault still knows has them. */
export function madeAt({ versions }: KvHistory): string | undefined {
  return versions.at(-1)?.createdAt;
}
