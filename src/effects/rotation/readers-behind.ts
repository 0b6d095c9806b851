/** Pods that have started before the Secret that they read got its new value. */
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import { SECRETS_CHANGED_ANNOTATION, VAULT_VERSION_ANNOTATION } from '../../contract/names.ts';
import { readersOf } from '../../plan/rotation/readers.ts';
import type { Rotatable } from '../../plan/rotation/rotatable.ts';
import { readsSince } from '../../plan/vault/secret-readers.ts';
import { readPods, readWorkloads } from '../observe/workloads.ts';
import { versionOfKv } from '../../clients/vault/index.ts';

/** @returns one line for each reader; empty where all have the new value */
export async function readersBehind(
  clients: Pick<Clients, 'catalog' | 'kubernetes' | 'vault'>,
  secret: Rotatable,
  signal: AbortSignal,
): Promise<string[]> {
  const { kubernetes } = clients;
  const { revision } = await clients.vault.asDeployer((session) => versionOfKv(session, secret.path, signal), signal);
  const lines = await Promise.all(
    readersOf(clients.catalog, [secret]).map(async ({ release, secrets }) => {
      const { namespace, name } = release;
      const pods = (
        await readPods(kubernetes, release, await readWorkloads(kubernetes, release, signal), signal)
      ).filter(({ metadata }) => !metadata.deletionTimestamp);
      if (pods.length === 0) return [];
      return Promise.all(
        secrets.map(async (each) => {
          const found = await kubernetes.get(paths.secret(namespace, each), signal);
          const { annotations } = found?.metadata ?? {};
          if (annotations?.[VAULT_VERSION_ANNOTATION] !== revision)
            return [`${name}: Secret ${namespace}/${each} does not hold what Vault does`];
          const changedAt = annotations?.[SECRETS_CHANGED_ANNOTATION];
          if (changedAt === undefined) return [];
          const old = pods.filter(({ metadata }) => (readsSince(metadata) ?? changedAt) <= changedAt);
          return old.map(({ metadata }) => `${name}: pod ${namespace}/${metadata.name} has started before`);
        }),
      ).then((all) => all.flat());
    }),
  );
  return lines.flat();
}
