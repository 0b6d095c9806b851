/** What only root may make in Vault: the KV mount, logins with Kubernetes identities, and the deployer's own role. */
import { DeployError } from '../../contract/errors.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { VaultError, type VaultSession } from '../../clients/vault/index.ts';
import { VAULT } from '../../contract/names.ts';
import { fieldDifferences } from '../../plan/drift/vault/fields.ts';
import { DEPLOYER_TTL_SECONDS, KV_CONFIG, KV_MOUNT, LOGIN_MOUNT, loginConfig } from '../../plan/vault/foundation.ts';
import type { Catalog } from '../../catalog/schema.ts';
import { deployerRole, wantedPolicies } from '../../plan/vault/policies.ts';
import { FAILURES } from '../../contract/failures.ts';
import { differingPolicies, differingRole, knownNames, writePolicies, writeRole } from './roles.ts';
import type { Reviewer } from './identities.ts';

export interface WantedFoundation {
  /** Whose paths are opened for reading. */
  catalog: Catalog;
  kubernetesHost: string;
  certificateAuthority: string;
  /** Where Kubernetes auth is no part of the server. */
  plugin?: { name: string; command: string; sha256: string } | undefined;
}

const mountsSchema = z.object({
  data: z.record(
    z.string(),
    z.looseObject({
      type: z.string(),
      accessor: z.string().optional(),
      options: z.record(z.string(), z.unknown()).nullish(),
      config: z.record(z.string(), z.unknown()).nullish(),
    }),
  ),
});
const fieldsSchema = z.object({ data: z.record(z.string(), z.unknown()) });
const auditSchema = z.object({ data: z.record(z.string(), z.unknown()) });
const KV = `${VAULT.kvMount}/`;
const LOGIN = `${VAULT.authMount}/`;
const KV_CONFIG_PATH = `${VAULT.kvMount}/config`;
const LOGIN_CONFIG = `auth/${VAULT.authMount}/config`;
const KV_WORDS = `KV v2 at ${KV}`;
const LOGIN_WORDS = `auth method at ${LOGIN}`;
const CONFIG_WORDS = `configuration of auth/${VAULT.authMount}`;
/** Vault's defaults. */
const TUNING = { default_lease_ttl: 0, max_lease_ttl: 0, listing_visibility: '' };
const KV_DEADLINE_MILLISECONDS = 10_000;

/**
 * Mounts as Vault lists them: fields of each by its path, options and tuning as `options.version`,
 * `config.max_lease_ttl`.
 */
export type SeenMounts = Map<string, Record<string, unknown>>;

export async function readMounts(
  session: VaultSession,
  path: 'sys/mounts' | 'sys/auth',
  signal?: AbortSignal,
): Promise<SeenMounts> {
  const { data } = mountsSchema.parse((await session.read(path, signal)) ?? { data: {} });
  return new Map(
    Object.entries(data).map(([mount, { type, accessor, options, config }]) => [
      mount,
      {
        type,
        ...(accessor === undefined ? {} : { accessor }),
        ...prefixed('options', options),
        ...prefixed('config', config),
      },
    ]),
  );
}

/** @returns undefined when it was never written */
export async function readFields(
  session: VaultSession,
  path: string,
  signal?: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  const answer = await session.read(path, signal);
  return answer === undefined ? undefined : fieldsSchema.parse(answer).data;
}

/** What is missing or different, in words; readable by the deployer itself. */
export async function missingFoundation(
  session: VaultSession,
  wanted: WantedFoundation,
  signal?: AbortSignal,
): Promise<string[]> {
  const [mounts, auths, config, kv, known] = await Promise.all([
    readMounts(session, 'sys/mounts', signal),
    readMounts(session, 'sys/auth', signal),
    readFields(session, LOGIN_CONFIG, signal),
    readFields(session, KV_CONFIG_PATH, signal),
    knownNames(session, signal),
  ]);
  const [policies, role] = await Promise.all([
    differingPolicies(session, wantedPolicies(wanted.catalog, accessorOf(auths)), known, signal),
    differingRole(session, deployerRole(), DEPLOYER_TTL_SECONDS, known, signal),
  ]);
  return [
    ...(fits(KV_MOUNT, mounts.get(KV)) && fits(KV_CONFIG, kv) ? [] : [KV_WORDS]),
    ...(fits(LOGIN_MOUNT, auths.get(LOGIN)) ? [] : [LOGIN_WORDS]),
    ...(isConfigured(config, wanted) ? [] : [CONFIG_WORDS]),
    ...policies.map(({ name }) => `policy ${name}`),
    ...role,
  ];
}

/** What Vault calls the auth method in policies. */
export function accessorOf(auths: ReadonlyMap<string, Readonly<Record<string, unknown>>>): string | undefined {
  const accessor = auths.get(LOGIN)?.['accessor'];
  return typeof accessor === 'string' ? accessor : undefined;
}

/** Makes all of it, as root; harmless to repeat. @returns what was missing */
export async function layFoundation(
  session: VaultSession,
  wanted: WantedFoundation,
  reviewer: Reviewer,
  signal?: AbortSignal,
): Promise<string[]> {
  const audit = await enableAudit(session, signal);
  // Registering a plug-in takes Vault a while; the mount need not wait for it.
  const [kv, login] = await Promise.all([mountKv(session, signal), enableLogin(session, wanted, reviewer, signal)]);
  const [known, auths] = await Promise.all([knownNames(session, signal), readMounts(session, 'sys/auth', signal)]);
  const policies = await writePolicies(session, wantedPolicies(wanted.catalog, accessorOf(auths)), known, signal);
  const role = await writeRole(session, deployerRole(), DEPLOYER_TTL_SECONDS, known, signal);
  return [...audit, ...kv, ...login, ...policies, ...role];
}

async function mountKv(session: VaultSession, signal?: AbortSignal): Promise<string[]> {
  const mount = (await readMounts(session, 'sys/mounts', signal)).get(KV);
  if (!mount) {
    await session.write(
      `sys/mounts/${VAULT.kvMount}`,
      { type: 'kv', options: { version: '2' }, description: 'Secrets of the platform' },
      signal,
    );
    await kvIsReady(session, signal);
    return [KV_WORDS];
  }
  if (mount['type'] !== 'kv')
    throw new DeployError(
      FAILURES.rejectedByCluster,
      `Vault: something else than KV (${String(mount['type'])}) is mounted at ${KV}. It may hold data, so it is not removed: move it with \`vault secrets move\`, then deploy again.`,
    );
  const tuned = !fits(KV_MOUNT, mount);
  // KV 1 becomes KV 2 by its option, with all that it holds.
  if (tuned) await session.write(`sys/mounts/${VAULT.kvMount}/tune`, { options: { version: '2' }, ...TUNING }, signal);
  await kvIsReady(session, signal);
  const reset = !fits(KV_CONFIG, await readFields(session, KV_CONFIG_PATH, signal));
  if (reset) await session.write(KV_CONFIG_PATH, { ...KV_CONFIG }, signal);
  return tuned || reset ? [KV_WORDS] : [];
}

async function enableLogin(
  session: VaultSession,
  wanted: WantedFoundation,
  reviewer: Reviewer,
  signal?: AbortSignal,
): Promise<string[]> {
  const mount = (await readMounts(session, 'sys/auth', signal)).get(LOGIN);
  if (!mount) {
    if (wanted.plugin)
      await session.write(
        `sys/plugins/catalog/auth/${wanted.plugin.name}`,
        { sha256: wanted.plugin.sha256, command: wanted.plugin.command },
        signal,
      );
    await session.write(`sys/auth/${VAULT.authMount}`, { type: wanted.plugin?.name ?? 'kubernetes' }, signal);
  }
  const tuned = mount !== undefined && !fits(LOGIN_MOUNT, mount);
  if (tuned) await session.write(`sys/auth/${VAULT.authMount}/tune`, TUNING, signal);
  const configured = mount !== undefined && isConfigured(await readFields(session, LOGIN_CONFIG, signal), wanted);
  // Written each time: whether the reviewer's token in it still works cannot be read back.
  await session.write(LOGIN_CONFIG, { ...loginConfig(wanted), token_reviewer_jwt: reviewer.jwt }, signal);
  return [...(mount && !tuned ? [] : [LOGIN_WORDS]), ...(configured ? [] : [CONFIG_WORDS])];
}

function fits(
  wanted: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>> | undefined,
): boolean {
  return found !== undefined && fieldDifferences(wanted, found).length === 0;
}

function isConfigured(config: Readonly<Record<string, unknown>> | undefined, wanted: WantedFoundation): boolean {
  return fits(loginConfig(wanted), config) && config?.['token_reviewer_jwt_set'] !== false;
}

function prefixed(
  prefix: string,
  fields: Readonly<Record<string, unknown>> | null | undefined,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields ?? {}).map(([name, value]) => [`${prefix}.${name}`, value]));
}

/** Enables Vault's audit log, in which values are HMACs. A server that refuses it does not stop the deployment. */
async function enableAudit(session: VaultSession, signal?: AbortSignal): Promise<string[]> {
  const devices = auditSchema.parse((await session.read('sys/audit', signal)) ?? { data: {} }).data;
  if (Object.keys(devices).length > 0) return [];
  try {
    await session.write('sys/audit/stdout', { type: 'file', options: { file_path: 'stdout' } }, signal);
    return ['audit device'];
  } catch (error) {
    if (error instanceof VaultError && error.status === 400) return [];
    throw error;
  }
}

/** A new KV v2 mount refuses everything for a moment while it sets itself up. */
async function kvIsReady(session: VaultSession, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + KV_DEADLINE_MILLISECONDS;
  for (;;) {
    try {
      await session.read(KV_CONFIG_PATH, signal);
      return;
    } catch (error) {
      if (!(error instanceof VaultError) || error.status !== 400 || Date.now() > deadline) throw error;
      await sleep(50, undefined, signal ? { signal } : {});
    }
  }
}
