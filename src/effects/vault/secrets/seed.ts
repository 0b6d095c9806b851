/**
 * Writes what is missing of every declared path, with check-and-set; overwrites nothing. What was lost comes back as it
 * was, or is left to a person.
 */
import { currentEnvironment } from '../../environment.ts';
import { DeployError } from '../../../contract/errors.ts';
import { randomBytes } from 'node:crypto';
import type { SecretKey, SecretPath } from '../../../catalog/schema.ts';
import type { Clients } from '../../../clients/index.ts';
import {
  historyOfKv,
  KvConflictError,
  type KvEntry,
  type KvHistory,
  readKv,
  undeleteKv,
  type VaultSession,
  writeKv,
} from '../../../clients/vault/index.ts';
import type { InputOf, OutputOf } from '../../../contract/activities.ts';
import { FAILURES } from '../../../contract/failures.ts';
import type { DataClaim } from '../../../plan/vault/data-claims.ts';
import type { EffectScope } from '../../effect.ts';
import { complete, type Sources } from './generate.ts';
import { requireText } from '../declared.ts';
import { registerSecretValues } from '../register-values.ts';
import { lossText, survivingClaims } from './loss.ts';
import { madeSecrets } from './made-secrets.ts';
import { proveRevisions } from '../../release/prove.ts';
import { forgetProofs } from '../proofs.ts';
import { readReceipt, wantedReceipt, writeReceipt } from '../receipt.ts';
import { hadValue, restorable } from './restore.ts';
import { isGoodEnough, isPlaceholder, isRequired, placeholder, type Waiting, waitingFor } from './supplied.ts';

interface Path {
  declared: SecretPath;
  data: Record<string, string>;
  /** What others keep beside it: written back as it is. */
  other: Record<string, unknown>;
  /** Of what was read, or of the newest version that is no longer readable; 0 where there never was one. */
  version: number;
  history: KvHistory;
  /** Values that were brought back, and are still to be written. */
  restored: Record<string, string>;
  /** Keys whose values are gone everywhere. */
  lost: SecretKey[];
}

export async function seedVault(
  clients: Clients,
  run: InputOf<'seedVault'>,
  scope: EffectScope,
): OutputOf<'seedVault'> {
  scope.doing('writes the secrets that are missing');

  const environment = await currentEnvironment(clients);
  const waiting = waitingFor(clients);
  const given = await waiting.read();
  const sourcesFor = (paths: ReadonlyMap<string, Path>): Sources => ({
    valueOf: (path, key) => paths.get(path)?.data[key],
    supplied: (path, key) => given[path]?.[key.name] ?? (isRequired(environment, key) ? undefined : placeholder()),
  });
  const result = await clients.vault.asDeployer(async (session) => {
    const { paths, undeleted } = await readAll(clients, session, scope.signal);
    const restored = await restoreAll(clients, session, paths, given, scope.signal);
    applySupplied(paths, given);
    const { written, missing } = await seedAll(
      clients,
      session,
      paths,
      sourcesFor(paths),
      (key, value) => isGoodEnough(environment, key, value),
      scope.signal,
    );
    return {
      written,
      missing,
      claims: restored.claims,
      restored: [...undeleted, ...restored.paths].sort(),
      paths: [...paths.values()],
    };
  }, scope.signal);
  const { written, restored, missing, claims } = result;
  const lost = result.paths.flatMap(({ declared, lost: keys }) => keys.map((key) => ({ path: declared.path, key })));
  if (lost.length > 0) {
    const keys = lost.map(({ path, key }) => ({ path, key: key.name }));
    const text =
      claims.length === 0
        ? lostText(run.environment, lost)
        : lossText(run.environment, { claims, keys }, 'Nothing was made up in Vault.');
    throw new DeployError(FAILURES.secretLost, text);
  }
  // Only now that all of them stand in Vault: a path of which something is lost was not written.
  await waiting.remove();
  if (missing.length > 0) throw new DeployError(FAILURES.suppliedSecretMissing, missingText(run.environment, missing));
  const { seeded } = wantedReceipt(clients.catalog, environment, clients.connections.vault.kubernetesHost);
  const keys = result.paths
    .flatMap(({ declared, data }) => Object.keys(data).map((key) => `${declared.path} ${key}`))
    .sort()
    .join('\n');
  await clients.vault.asDeployer(async (session) => {
    const { fingerprintKey = randomBytes(32).toString('hex') } = await readReceipt(session, scope.signal);
    await writeReceipt(session, { seeded, keys, fingerprintKey }, scope.signal);
  }, scope.signal);
  // What Vault itself needs was applied before the key was there.
  forgetProofs(clients);
  await proveRevisions(clients, scope.signal);
  return { written, restored };
}

/** What was deleted softly is brought back by the way. */
async function readAll(
  { catalog, redactor }: Clients,
  session: VaultSession,
  signal: AbortSignal,
): Promise<{ paths: Map<string, Path>; undeleted: string[] }> {
  const undeleted: string[] = [];
  const entries: { declared: SecretPath; entry: KvEntry | undefined }[] = [];
  const paths = await Promise.all(
    catalog.secretPaths.map(async (declared): Promise<Path> => {
      const found = await readKv(session, declared.path, signal);
      const complete = found !== undefined && declared.keys.every(({ name }) => found.data[name] !== undefined);
      const history = complete
        ? { newest: found.version, versions: [], deleteAfter: '0s' }
        : await historyOfKv(session, declared.path, signal);
      const newest = history.versions[0];
      const deleted = found === undefined && newest?.deletedAt !== undefined && !newest.destroyed;
      if (deleted) {
        await undeleteKv(session, declared.path, newest.version, signal);
        undeleted.push(declared.path);
      }
      const entry = deleted ? await readKv(session, declared.path, signal) : found;
      registerSecretValues(redactor, declared, entry?.data ?? {});
      entries.push({ declared, entry });
      return {
        declared,
        data: entry?.data ?? {},
        other: entry?.other ?? {},
        version: entry?.version ?? history.newest,
        history,
        restored: {},
        lost: [],
      };
    }),
  );
  requireText(entries);
  return { paths: new Map(paths.map((path) => [path.declared.path, path])), undeleted };
}

/**
 * Completes what was lost from where it still is.
 * @param given values that wait for Vault
 * @returns paths to which something was brought back, which are written with all else; and data that were made with
 * the values of a Vault that is no more
 */
async function restoreAll(
  clients: Clients,
  session: VaultSession,
  paths: ReadonlyMap<string, Path>,
  given: Waiting,
  signal: AbortSignal,
): Promise<{ paths: string[]; claims: DataClaim[] }> {
  const incomplete = [...paths.values()].filter(({ declared, data }) =>
    declared.keys.some(({ name }) => data[name] === undefined),
  );
  if (incomplete.length === 0) return { paths: [], claims: [] };
  const [made, receipt] = await Promise.all([madeSecrets(clients, signal), readReceipt(session, signal)]);
  const isNew = receipt.seeded === undefined && receipt.keys === undefined;
  const claims = isNew ? await survivingClaims(clients, signal) : [];
  await Promise.all(
    incomplete.map(async (path) => {
      const isGiven = ({ name }: Pick<SecretKey, 'name'>): boolean => given[path.declared.path]?.[name] !== undefined;
      const found = await restorable(
        session,
        path.declared,
        { ...path.data, ...given[path.declared.path] },
        path.history,
        made,
        signal,
      );
      const absent = path.declared.keys.filter((key) => path.data[key.name] === undefined);
      path.lost = absent.filter(
        (key) =>
          !found.has(key.name) &&
          !isGiven(key) &&
          (hadValue(receipt, made, path.declared.path, key) || (claims.length > 0 && key.kind === 'generated')),
      );
      path.restored = Object.fromEntries(
        absent.flatMap((key) => {
          const value = key.kind === 'supplied' ? undefined : given[path.declared.path]?.[key.name];
          const known = value ?? found.get(key.name)?.value;
          return known === undefined ? [] : [[key.name, known]];
        }),
      );
      registerSecretValues(clients.redactor, path.declared, path.restored);
    }),
  );
  const restored = incomplete.filter(({ restored: back, lost }) => Object.keys(back).length > 0 && lost.length === 0);
  return { paths: restored.map(({ declared }) => declared.path), claims };
}

/** What an operator set before Vault existed replaces a placeholder, and nothing else. */
function applySupplied(
  paths: ReadonlyMap<string, Path>,
  given: Readonly<Record<string, Record<string, string>>>,
): void {
  for (const [path, values] of Object.entries(given)) {
    const known = paths.get(path);
    if (known)
      known.data = Object.fromEntries(
        Object.entries(known.data).filter(([key, value]) => !(key in values && isPlaceholder(value))),
      );
  }
}

async function seedAll(
  clients: Clients,
  session: VaultSession,
  paths: ReadonlyMap<string, Path>,
  sources: Sources,
  isGood: (key: Extract<SecretKey, { kind: 'supplied' }>, value: string | undefined) => boolean,
  signal: AbortSignal,
): Promise<{ written: string[]; missing: { path: string; key: Extract<SecretKey, { kind: 'supplied' }> }[] }> {
  const written: string[] = [];
  const missing: { path: string; key: Extract<SecretKey, { kind: 'supplied' }> }[] = [];
  // Copies come last: by then what they copy is known.
  for (const copies of [false, true]) {
    // A path of which something is lost is left as evidence, until a person has decided.
    await Promise.all(
      [...paths.values()]
        .filter((path) => hasCopies(path) === copies && path.lost.length === 0)
        .map(async (path) => {
          const { data, added } = await complete(path.declared, { ...path.restored, ...path.data }, sources);
          registerSecretValues(clients.redactor, path.declared, data);
          if (added.length > 0 || Object.keys(path.restored).length > 0) {
            await writeOnce(session, path, data, signal);
            written.push(path.declared.path);
          }
          path.data = data;
          for (const key of path.declared.keys)
            if (key.kind === 'supplied' && !isGood(key, data[key.name]))
              missing.push({ path: path.declared.path, key });
        }),
    );
  }
  return { written: written.sort(), missing };
}

/** @throws DeployError, to be tried again, when somebody else wrote the path in the meantime: their values win */
async function writeOnce(
  session: VaultSession,
  path: Path,
  data: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  try {
    path.version = await writeKv(session, path.declared.path, { ...path.other, ...data }, path.version, signal);
  } catch (error) {
    if (!(error instanceof KvConflictError)) throw error;
    throw new DeployError(FAILURES.unexpected, `${error.message}; it is read again`);
  }
}

function hasCopies({ declared }: Path): boolean {
  return declared.keys.some(({ kind }) => kind === 'copy');
}

function missingText(
  environment: string,
  missing: readonly { path: string; key: Extract<SecretKey, { kind: 'supplied' }> }[],
): string {
  return [
    `${missing.length} secrets that third parties issue are missing. Set each with its line, the value on standard input, then deploy again:`,
    ...missing.map(
      ({ path, key }) =>
        `  npm run ananta -- secrets set ${path} ${key.name} --env ${environment}   (${key.description})`,
    ),
  ].join('\n');
}

function lostText(environment: string, lost: readonly { path: string; key: SecretKey }[]): string {
  return [
    `${lost.length} values have been lost from Vault and stand nowhere else: no older version, no Kubernetes Secret. Servers may still use them, so no new ones were made. ` +
      'Restore them from a backup of Vault, or set each with its line, the old value (or, knowingly, a new one) on standard input; then deploy again:',
    ...lost.map(({ path, key }) => `  npm run ananta -- secrets set ${path} ${key.name} --env ${environment}`),
  ].join('\n');
}
