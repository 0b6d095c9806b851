/** Reads what Vault holds, as the deployer. What it may not read is said, and the rest is looked at all the same. */
import type { SecretPath } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import {
  historyOfKv,
  type KvEntry,
  type KvHistory,
  readKv,
  VaultError,
  type VaultSession,
} from '../../clients/vault/index.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import { VAULT } from '../../contract/names.ts';
import { notObservable } from '../../plan/drift/vault/finding.ts';
import type { Fields, SeenVault } from '../../plan/drift/vault/findings.ts';
import { readFields, readMounts } from '../vault/foundation.ts';
import { registerSecretValues } from '../vault/register-values.ts';
import { type Receipt, readReceipt } from '../vault/receipt.ts';
import { readPolicy, readRole } from '../vault/roles.ts';

export interface ReadPath {
  declared: SecretPath;
  entry: KvEntry | undefined;
  history: KvHistory;
}

export interface Inside {
  seen: SeenVault;
  /** Undefined when KV could not be read. */
  paths: ReadPath[] | undefined;
  receipt: Partial<Receipt>;
  /** Parts that could not be looked at. */
  unseen: DriftFinding[];
}

/** Of a read: what came back, or why nothing did. */
type Outcome<T> = { value: T } | Refused;
interface Refused {
  refused: string;
  /** A right is missing. */
  forbidden: boolean;
}

export async function lookInside(
  { catalog, redactor }: Pick<Clients, 'catalog' | 'redactor'>,
  environment: string,
  session: VaultSession,
  signal: AbortSignal,
): Promise<Inside> {
  const unseen: DriftFinding[] = [];
  const compare = `Compare the deployer's policy (${VAULT.deployerRole}): a deployment puts it back as root, made from the unseal keys: npm run ananta -- deploy --env ${environment}`;
  const noteFor = ({ forbidden }: Refused): string =>
    forbidden ? compare : 'Vault did not answer as it should; what it holds there could not be looked at.';
  const tried = async <T>(what: string, read: () => Promise<T>): Promise<T | undefined> => {
    const outcome = await attempt(read, signal);
    if ('value' in outcome) return outcome.value;
    unseen.push(notObservable('vault', what, redactor.redact(outcome.refused), noteFor(outcome)));
    return undefined;
  };
  /** One finding for all that could not be read of a kind. */
  const each = async <K, T>(
    what: string,
    names: readonly K[],
    read: (name: K) => Promise<T>,
  ): Promise<[K, T | undefined][]> => {
    const outcomes = await Promise.all(
      names.map(async (name) => [name, await attempt(() => read(name), signal)] as const),
    );
    const refused = outcomes.flatMap(([, outcome]) => ('refused' in outcome ? [outcome] : []));
    const [first] = refused;
    if (first !== undefined)
      unseen.push(
        notObservable(
          'vault',
          what,
          redactor.redact(`${refused.length} of ${names.length}: ${first.refused}`),
          noteFor(first),
        ),
      );
    return outcomes.map(([name, outcome]) => [name, 'value' in outcome ? outcome.value : undefined]);
  };

  const [mounts, auths, kvConfig, loginConfig, policyNames, roleNames, receipt] = await Promise.all([
    tried('Vault mounts', () => readMounts(session, 'sys/mounts', signal)),
    tried('Vault auth methods', () => readMounts(session, 'sys/auth', signal)),
    tried(
      'Vault configuration of KV',
      async () => (await readFields(session, `${VAULT.kvMount}/config`, signal)) ?? null,
    ),
    tried(
      `Vault configuration of auth/${VAULT.authMount}`,
      async () => (await readFields(session, `auth/${VAULT.authMount}/config`, signal)) ?? null,
    ),
    tried('Vault policies', () => session.list('sys/policies/acl', signal)),
    tried('Vault roles', () => session.list(`auth/${VAULT.authMount}/role`, signal)),
    attempt(() => readReceipt(session, signal), signal),
  ]);
  const [policies, roles, paths] = await Promise.all([
    policyNames &&
      each(
        'Vault policies, their rules',
        policyNames.filter((name) => name !== 'root'),
        (name) => readPolicy(session, name, signal),
      ),
    roleNames &&
      each(
        'Vault roles, their fields',
        roleNames,
        (name): Promise<Fields | undefined> => readRole(session, name, signal),
      ),
    each('Vault secrets', catalog.secretPaths, async (declared): Promise<ReadPath> => {
      const [entry, history] = await Promise.all([
        readKv(session, declared.path, signal),
        historyOfKv(session, declared.path, signal),
      ]);
      registerSecretValues(redactor, declared, { ...entry?.other, ...entry?.data });
      return { declared, entry, history };
    }),
  ]);
  return {
    seen: {
      mounts,
      auths,
      kvConfig,
      loginConfig,
      policies: policies && new Map(policies),
      roles: roles && new Map(roles),
    },
    paths: paths.some(([, path]) => path === undefined) ? undefined : paths.flatMap(([, path]) => (path ? [path] : [])),
    receipt: 'value' in receipt ? receipt.value : {},
    unseen,
  };
}

async function attempt<T>(read: () => Promise<T>, signal: AbortSignal): Promise<Outcome<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    signal.throwIfAborted();
    const forbidden = error instanceof VaultError && error.status === 403;
    const message = error instanceof Error ? error.message : String(error);
    return { refused: forbidden ? 'the deployer may not read it (403)' : message, forbidden };
  }
}
