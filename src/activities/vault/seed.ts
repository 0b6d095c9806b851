/** Writes what is missing of every declared path, with check-and-set; overwrites nothing. */
import type { SecretKey, SecretPath } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import { KvConflictError, readKv, type VaultSession, versionOfKv, writeKv } from '../../clients/vault/index.ts';
import type { Activities } from '../../contract/activities.ts';
import { FAILURES } from '../../contract/failures.ts';
import { assertTarget, currentEnvironment } from '../context.ts';
import { DeployError } from '../failures.ts';
import { beating, type ScopeOf } from '../scope.ts';
import { complete, type Sources } from './generate.ts';
import { learnValues } from './learn.ts';
import { wantedReceipt, writeReceipt } from './receipt.ts';
import { isGoodEnough, isPlaceholder, isRequired, placeholder, waitingFile } from './supplied.ts';

interface Path {
  declared: SecretPath;
  data: Record<string, string>;
  /** Of what was read; 0 where nothing could be read. */
  version: number;
}

export function seedVault(clients: Clients, scopeOf: ScopeOf): Activities['seedVault'] {
  return async (run) => {
    const scope = scopeOf();
    return beating(scope, () => 'writes the secrets that are missing', async () => {
      await assertTarget(clients, run, scope.signal);
      const environment = await currentEnvironment(clients);
      const waiting = waitingFile(clients.connections.stateDir, clients.redactor);
      const given = await waiting.read();
      const sourcesFor = (paths: ReadonlyMap<string, Path>): Sources => ({
        valueOf: (path, key) => paths.get(path)?.data[key],
        supplied: (path, key) => given[path]?.[key.name] ?? (isRequired(environment, key) ? undefined : placeholder()),
      });
      const { written, missing } = await clients.vault.asDeployer(async (session) => {
        const paths = await readAll(clients, session, scope.signal);
        applySupplied(paths, given);
        return seedAll(clients, session, paths, sourcesFor(paths), (key, value) => isGoodEnough(environment, key, value), scope.signal);
      }, scope.signal);
      await waiting.remove();
      if (missing.length > 0) throw new DeployError(FAILURES.suppliedSecretMissing, missingText(run.environment, missing));
      const { seeded } = wantedReceipt(clients.catalog, environment, clients.connections.vault.kubernetesHost);
      await clients.vault.asDeployer((session) => writeReceipt(session, { seeded }, scope.signal), scope.signal);
      return { written };
    });
  };
}

async function readAll({ catalog, redactor }: Clients, session: VaultSession, signal: AbortSignal): Promise<Map<string, Path>> {
  const paths = await Promise.all(catalog.secretPaths.map(async (declared) => {
    const found = await readKv(session, declared.path, signal);
    learnValues(redactor, declared, found?.data ?? {});
    return { declared, data: found?.data ?? {}, version: found?.version ?? 0 };
  }));
  return new Map(paths.map((path) => [path.declared.path, path]));
}

/** What an operator set before Vault existed replaces a placeholder, and nothing else. */
function applySupplied(paths: ReadonlyMap<string, Path>, given: Readonly<Record<string, Record<string, string>>>): void {
  for (const [path, values] of Object.entries(given)) {
    const known = paths.get(path);
    if (known) known.data = Object.fromEntries(Object.entries(known.data).filter(([key, value]) => !(key in values && isPlaceholder(value))));
  }
}

async function seedAll(
  clients: Clients, session: VaultSession, paths: ReadonlyMap<string, Path>, sources: Sources,
  isGood: (key: Extract<SecretKey, { kind: 'supplied' }>, value: string | undefined) => boolean, signal: AbortSignal,
): Promise<{ written: string[]; missing: { path: string; key: Extract<SecretKey, { kind: 'supplied' }> }[] }> {
  const written: string[] = [];
  const missing: { path: string; key: Extract<SecretKey, { kind: 'supplied' }> }[] = [];
  // Copies come last: by then what they copy is known.
  for (const copies of [false, true]) {
    await Promise.all([...paths.values()].filter((path) => hasCopies(path) === copies).map(async (path) => {
      const { data, added } = await complete(path.declared, path.data, sources);
      learnValues(clients.redactor, path.declared, data);
      if (added.length > 0) {
        await writeOnce(session, path, data, signal);
        written.push(path.declared.path);
      }
      path.data = data;
      for (const key of path.declared.keys) if (key.kind === 'supplied' && !isGood(key, data[key.name])) missing.push({ path: path.declared.path, key });
    }));
  }
  return { written: written.sort(), missing };
}

/** @throws DeployError, to be tried again, when somebody else wrote the path in the meantime: their values win */
async function writeOnce(session: VaultSession, path: Path, data: Record<string, string>, signal: AbortSignal): Promise<void> {
  try {
    path.version = await writeKv(session, path.declared.path, data, path.version, signal);
  } catch (error) {
    if (!(error instanceof KvConflictError)) throw error;
    const stillNothing = path.version === 0 && (await readKv(session, path.declared.path, signal)) === undefined;
    if (!stillNothing) throw new DeployError(FAILURES.unexpected, `${error.message}; it is read again`);
    // Its newest version was deleted, which leaves a number and no values.
    path.version = await writeKv(session, path.declared.path, data, (await versionOfKv(session, path.declared.path, signal)).version, signal);
  }
}

function hasCopies({ declared }: Path): boolean {
  return declared.keys.some(({ kind }) => kind === 'copy');
}

function missingText(environment: string, missing: readonly { path: string; key: Extract<SecretKey, { kind: 'supplied' }> }[]): string {
  return [
    `${missing.length} secrets that third parties issue are missing. Set each with its line, the value on standard input, then deploy again:`,
    ...missing.map(({ path, key }) => `  npm run ananta -- secrets set ${path} ${key.name} --env ${environment}   (${key.description})`),
  ].join('\n');
}
