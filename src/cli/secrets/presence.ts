/** What `secrets list` asks of Vault: names only, no value leaves this file. */
import { missingSecrets } from '../../effects/secrets.ts';
import { keysWithoutText } from '../../effects/vault/declared.ts';
import type { Clients } from '../../clients/index.ts';
import { readAges, type SecretAge } from '../../effects/rotation/ages.ts';
import { readKv } from '../../clients/vault/index.ts';

export interface Presence {
  /** `path key` of everything that has a value; undefined while Vault cannot be asked. */
  present: ReadonlySet<string> | undefined;
  /** `path key` of what somebody has to supply before the next deployment. */
  missing: ReadonlySet<string>;
  /** `path key` of generated values to how old they are; absent while Vault cannot be asked. */
  ages?: ReadonlyMap<string, SecretAge>;
  /** `path key` to what stands there instead of text. */
  problems: ReadonlyMap<string, string>;
  /** Why Vault cannot be asked. */
  note?: string;
}

export async function presenceOf(clients: Clients, signal: AbortSignal): Promise<Presence> {
  const { state, detail } = await clients.vault.state(signal);
  // A sealed Vault is opened with the keys on this machine; without them the client reports it.
  if (state === 'unreachable')
    return { present: undefined, missing: new Set(), problems: new Map(), note: `Vault cannot be asked: ${detail}.` };
  // One login before many reads: a sealed Vault is opened by it, and nobody meets one that is half open.
  if (state === 'open' || state === 'sealed') await clients.vault.asDeployer(() => Promise.resolve(), signal);
  const missing = new Set((await missingSecrets(clients, signal)).map(({ path, key }) => `${path} ${key}`));
  if (state === 'absent' || state === 'uninitialized')
    return {
      present: undefined,
      missing,
      problems: new Map(),
      note: `${detail}. Generated values are written by the first deployment.`,
    };
  const ages = await clients.vault.asDeployer((session) => readAges(session, clients.catalog, signal), signal);
  const entries = await Promise.all(
    clients.catalog.secretPaths.map((declared) =>
      clients.vault.asDeployer(async (session) => {
        const entry = await readKv(session, declared.path, signal);
        return { path: declared.path, keys: Object.keys(entry?.data ?? {}), noText: keysWithoutText(declared, entry) };
      }, signal),
    ),
  );
  return {
    present: new Set(entries.flatMap(({ path, keys }) => keys.map((key) => `${path} ${key}`))),
    missing,
    ages,
    problems: new Map(
      entries.flatMap(({ path, noText }) => [...noText].map(([key, type]) => [`${path} ${key}`, type])),
    ),
  };
}
