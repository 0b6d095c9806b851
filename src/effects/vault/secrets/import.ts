/**
 * Values for a Vault that lost them: from a file, from the Kubernetes Secrets made from the old one. What is found is
 * written where it is missing, and nowhere else; nothing is generated but what is given up by name.
 */
import type { SecretKey, SecretPath } from '../../../catalog/schema.ts';
import type { Clients } from '../../../clients/index.ts';
import { decodedData, paths } from '../../../clients/kubernetes/index.ts';
import { type KvEntry, readKv, versionOfKv, writeKv } from '../../../clients/vault/index.ts';
import type { SecretReference } from '../../../plan/adoption/draft.ts';
import { PlanRefusedError } from '../../../plan/charts/source.ts';
import { type DataClaim, type KeyOfPath, releasedKeys } from '../../../plan/vault/data-claims.ts';
import { wantedSecrets } from '../../../plan/vault/kubernetes-secrets.ts';
import { randomText } from './generate.ts';
import { registerSecretValues } from '../register-values.ts';
import { survivingClaims } from './loss.ts';
import { asMade, type MadeSecret, madeSecrets } from './made-secrets.ts';
import { waitingFor } from './supplied.ts';

export interface ImportRequest {
  /** By path, then key: from a backup. */
  file: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** By path, then key: from outputs of Terraform. Absent: none. */
  outputs?: Readonly<Record<string, Readonly<Record<string, { value: string; from: string }>>>>;
  /** By path, then key: the Kubernetes Secret of somebody else that holds the value now. Absent: none. */
  references?: Readonly<Record<string, Readonly<Record<string, SecretReference>>>>;
  /** Names of services whose data are given up. */
  giveUp: readonly string[];
}

export interface FoundValue extends KeyOfPath {
  /** `the file`, `output database.password`, `Secret data/vault-database-main`, `made anew`. */
  from: string;
}

export interface PlannedImport {
  found: FoundValue[];
  /** Stand in the new Vault, or wait for it, with another value than the file says: they stay. */
  differing: KeyOfPath[];
  /** Generated values that nobody has: the next deployment names what stands in their way. */
  missing: KeyOfPath[];
  claims: DataClaim[];
  /** Where the values go. */
  into: 'vault' | 'waiting';
  /** Writes them. @returns how many */
  write: () => Promise<number>;
}

type Importing = Pick<Clients, 'environment' | 'catalog' | 'connections' | 'vault' | 'redactor' | 'kubernetes'>;

/**
 * Looks and compares; changes nothing before `write` is called. @throws VaultSealedError and others of Vault's client
 */
export async function planImport(
  clients: Importing,
  { file, outputs = {}, references = {}, giveUp }: ImportRequest,
  signal?: AbortSignal,
): Promise<PlannedImport> {
  const { catalog, redactor, vault } = clients;
  for (const values of Object.values(file)) redactor.learn(...Object.values(values));
  for (const values of Object.values(outputs)) redactor.learn(...Object.values(values).map(({ value }) => value));
  const { state } = await vault.state(signal);
  const referred = await referredValues(clients, references, signal);
  const into = state === 'absent' || state === 'uninitialized' ? 'waiting' : 'vault';
  const [claims, secrets, waiting, entries] = await Promise.all([
    survivingClaims(clients, signal),
    allMade(clients, signal),
    waitingFor(clients).read(),
    into === 'vault' ? readAll(clients, signal) : new Map<string, KvEntry>(),
  ]);
  const present = (path: string, key: string): string | undefined =>
    entries.get(path)?.data[key] ?? waiting[path]?.[key];
  const anew = new Set(releasedKeys(catalog, claims, giveUp).map(({ path, key }) => `${path} ${key}`));
  const values: (FoundValue & { value: string })[] = [];
  const differing: KeyOfPath[] = [];
  const missing: KeyOfPath[] = [];
  for (const { path, keys } of catalog.secretPaths) {
    for (const key of keys) {
      const known = present(path, key.name);
      const given: { value: string; from: string } | undefined =
        file[path]?.[key.name] === undefined
          ? (outputs[path]?.[key.name] ?? referred.get(`${path} ${key.name}`))
          : { value: file[path][key.name] ?? '', from: 'the file' };
      if (known !== undefined) {
        if (given !== undefined && given.value !== known) differing.push({ path, key: key.name });
        continue;
      }
      const found = valueOf(key, path, given, secrets, giveUp.length > 0 && anew.has(`${path} ${key.name}`));
      if (found !== undefined) values.push({ path, key: key.name, ...found });
      else if (key.kind === 'generated') missing.push({ path, key: key.name });
    }
  }
  redactor.learn(...values.map(({ value }) => value));
  return {
    found: values.map(({ path, key, from }) => ({ path, key, from })),
    differing,
    missing,
    claims,
    into,
    write: async () => {
      const byPath = Map.groupBy(values, ({ path }) => path);
      const more = new Map(
        [...byPath].map(([path, list]) => [path, Object.fromEntries(list.map((v) => [v.key, v.value]))]),
      );
      if (into === 'waiting') await waitingFor(clients).add(Object.fromEntries(more));
      else {
        await vault.asDeployer(async (session) => {
          for (const [path, data] of more) {
            const entry = entries.get(path);
            const version = entry?.version ?? (await versionOfKv(session, path, signal)).version;
            await writeKv(session, path, { ...entry?.other, ...entry?.data, ...data }, version, signal);
          }
        }, signal);
      }
      return values.length;
    },
  };
}

/**
 * Read from the Secrets that hold them, by `<path> <key>`.
 * @throws PlanRefusedError that names every Secret that is missing, or holds no text under its key
 */
async function referredValues(
  { kubernetes, redactor }: Importing,
  references: NonNullable<ImportRequest['references']>,
  signal?: AbortSignal,
): Promise<Map<string, { value: string; from: string }>> {
  const all = Object.entries(references).flatMap(([path, keys]) =>
    Object.entries(keys).map(([key, reference]) => ({ name: `${path} ${key}`, reference })),
  );
  const wanted = [...new Set(all.map(({ reference: { namespace, secret } }) => paths.secret(namespace, secret)))];
  const objects = new Map(
    await Promise.all(wanted.map(async (path) => [path, await kubernetes.get(path, signal)] as const)),
  );
  const read = all.map(({ name, reference: { namespace, secret, key } }) => {
    const from = `Secret ${namespace}/${secret}`;
    const object = objects.get(paths.secret(namespace, secret));
    if (object === undefined) return { name, problem: `${name}: there is no ${from}` };
    const text = decodedData(object)[key] ?? '';
    if (text === '' || text.includes('\uFFFD') || text.includes('\0'))
      return { name, problem: `${name}: ${from} holds no text under the key "${key}"` };
    redactor.learn(text);
    return { name, value: text, from: `${from}, ${key}` };
  });
  const problems = read.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0)
    throw new PlanRefusedError(`What is referred to is not there, so nothing was written:\n${problems.join('\n')}`);
  return new Map(
    read.flatMap(({ name, value, from }) => (value === undefined ? [] : [[name, { value, from }] as const])),
  );
}

/** What the catalog says itself, or makes from other keys, needs no import. */
function valueOf(
  key: SecretKey,
  path: string,
  given: { value: string; from: string } | undefined,
  secrets: readonly MadeSecret[],
  anew: boolean,
): { value: string; from: string } | undefined {
  if (key.kind === 'fixed' || key.kind === 'copy') return undefined;
  if (given !== undefined) return given;
  // The next deployment brings back those that fit what they are made from, and makes the others anew.
  if (key.kind === 'jwt' || key.kind === 'bcrypt') return undefined;
  for (const secret of secrets) {
    const value = secret.path === path ? secret.values[key.name] : undefined;
    // What was no text in the Secret is no value of ours.
    if (value !== undefined && value !== '' && !value.includes('\uFFFD'))
      return { value, from: `Secret ${secret.namespace}/${secret.name}` };
  }
  return anew && key.kind === 'generated'
    ? { value: randomText(key.format, key.length), from: 'made anew, since its data are given up' }
    : undefined;
}

/** Secrets made from Vault, also those that lost their label or annotation: the newest version first. */
async function allMade(clients: Importing, signal?: AbortSignal): Promise<MadeSecret[]> {
  const made = await madeSecrets(clients, signal);
  const keyOf = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;
  const known = new Set(made.map(keyOf));
  const others = await Promise.all(
    wantedSecrets(clients.catalog)
      .filter((wanted) => !known.has(keyOf(wanted)))
      .map(async (wanted) => {
        const object = await clients.kubernetes.get(paths.secret(wanted.namespace, wanted.name), signal);
        return object === undefined ? [] : [{ ...asMade(clients, object), path: wanted.path }];
      }),
  );
  return [...made, ...others.flat()].sort((a, b) => b.version - a.version);
}

async function readAll({ vault, catalog, redactor }: Importing, signal?: AbortSignal): Promise<Map<string, KvEntry>> {
  const entries = await vault.asDeployer(
    (session) =>
      Promise.all(
        catalog.secretPaths.map(async (declared: SecretPath) => {
          const entry = await readKv(session, declared.path, signal);
          registerSecretValues(redactor, declared, { ...entry?.other, ...entry?.data });
          return [declared.path, entry] as const;
        }),
      ),
    signal,
  );
  return new Map(entries.flatMap(([path, entry]) => (entry === undefined ? [] : [[path, entry] as const])));
}
