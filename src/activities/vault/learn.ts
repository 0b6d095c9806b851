import type { SecretPath } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import type { Redactor } from '../../clients/redact.ts';
import { readKv } from '../../clients/vault/index.ts';

/** Makes the values of a path unspeakable for this process, except those that the catalog itself spells out. */
export function learnValues(
  redactor: Redactor,
  declared: Pick<SecretPath, 'keys'> | undefined,
  data: Readonly<Record<string, string>>,
): void {
  const open = new Set(declared?.keys.filter(({ kind }) => kind === 'fixed').map(({ name }) => name));
  redactor.learn(
    ...Object.entries(data)
      .filter(([name]) => !open.has(name))
      .map(([, value]) => value),
  );
}

/**
 * Learns every value of the platform, for texts that come from elsewhere: a worker that has just started knows none.
 * A Vault that does not answer leaves it at what is known.
 */
export async function learnEverything(
  { vault, catalog, redactor }: Pick<Clients, 'vault' | 'catalog' | 'redactor'>,
  signal: AbortSignal,
): Promise<void> {
  if ((await vault.state(signal)).state !== 'open') return;
  try {
    await vault.asDeployer(
      (session) =>
        Promise.all(
          catalog.secretPaths.map(async (declared) => {
            learnValues(redactor, declared, (await readKv(session, declared.path, signal))?.data ?? {});
          }),
        ),
      signal,
    );
  } catch {
    signal.throwIfAborted();
  }
}
