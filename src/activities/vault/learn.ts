import type { SecretPath } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import type { Redactor } from '../../clients/redact.ts';
import { readKv } from '../../clients/vault/index.ts';

/** Makes the values of a path unspeakable for this process, except those that the catalog itself spells out. */
export function learnValues(
  redactor: Redactor,
  declared: Pick<SecretPath, 'keys'> | undefined,
  data: Readonly<Record<string, unknown>>,
): void {
  const open = new Set(declared?.keys.filter(({ kind }) => kind === 'fixed').map(({ name }) => name));
  redactor.learn(
    ...Object.entries(data)
      .filter(([name]) => !open.has(name))
      .flatMap(([, value]) => textsIn(value)),
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
            const entry = await readKv(session, declared.path, signal);
            learnValues(redactor, declared, { ...entry?.other, ...entry?.data });
          }),
        ),
      signal,
    );
  } catch {
    signal.throwIfAborted();
  }
}

/** Somebody's own keys may hold lists and objects. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
