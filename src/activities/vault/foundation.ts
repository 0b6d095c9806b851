/** What only root may make in Vault: the KV mount, logins with Kubernetes identities, and the deployer's own role. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { VaultError, type VaultSession } from '../../clients/vault/index.ts';
import { VAULT } from '../../contract/names.ts';
import { deployerRole } from '../../plan/vault-policies.ts';
import { differingRole, knownNames, writeRole } from './roles.ts';
import type { Reviewer } from './identities.ts';

export interface WantedFoundation {
  kubernetesHost: string;
  certificateAuthority: string;
  /** Where Kubernetes auth is no part of the server. */
  plugin?: { name: string; command: string; sha256: string } | undefined;
}

const mountsSchema = z.object({ data: z.record(z.string(), z.looseObject({ type: z.string(), options: z.record(z.string(), z.string()).nullish() })) });
const configSchema = z.object({ data: z.looseObject({ kubernetes_host: z.string().default(''), kubernetes_ca_cert: z.string().default(''), disable_local_ca_jwt: z.boolean().default(false), token_reviewer_jwt_set: z.boolean().default(true) }) });
const auditSchema = z.object({ data: z.record(z.string(), z.unknown()) });
const KV_DEADLINE_MILLISECONDS = 10_000;
const DEPLOYER_TTL_SECONDS = 900;

/** What is missing or different, in words; readable by the deployer itself. */
export async function missingFoundation(session: VaultSession, wanted: WantedFoundation, signal?: AbortSignal): Promise<string[]> {
  const [mounts, auths, config, role] = await Promise.all([
    session.read('sys/mounts', signal), session.read('sys/auth', signal), session.read(`auth/${VAULT.authMount}/config`, signal),
    knownNames(session, signal).then((known) => differingRole(session, deployerRole(), DEPLOYER_TTL_SECONDS, known, signal)),
  ]);
  return [
    ...(hasKv(mounts) ? [] : [`KV v2 at ${VAULT.kvMount}/`]),
    ...(hasKubernetes(auths) ? [] : [`auth method at ${VAULT.authMount}/`]),
    ...(isConfigured(config, wanted) ? [] : [`configuration of auth/${VAULT.authMount}`]),
    ...role,
  ];
}

/** Makes all of it, as root; harmless to repeat. @returns what was missing */
export async function layFoundation(session: VaultSession, wanted: WantedFoundation, reviewer: Reviewer, signal?: AbortSignal): Promise<string[]> {
  const audit = await enableAudit(session, signal);
  // Registering a plug-in takes Vault a while; the mount need not wait for it.
  const [kv, login] = await Promise.all([mountKv(session, signal), enableLogin(session, wanted, reviewer, signal)]);
  const role = await writeRole(session, deployerRole(), DEPLOYER_TTL_SECONDS, await knownNames(session, signal), signal);
  return [...audit, ...kv, ...login, ...role];
}

async function mountKv(session: VaultSession, signal?: AbortSignal): Promise<string[]> {
  const mounted = hasKv(await session.read('sys/mounts', signal));
  if (!mounted) await session.write(`sys/mounts/${VAULT.kvMount}`, { type: 'kv', options: { version: '2' }, description: 'Secrets of the platform' }, signal);
  await kvIsReady(session, signal);
  return mounted ? [] : [`KV v2 at ${VAULT.kvMount}/`];
}

async function enableLogin(session: VaultSession, wanted: WantedFoundation, reviewer: Reviewer, signal?: AbortSignal): Promise<string[]> {
  const enabled = hasKubernetes(await session.read('sys/auth', signal));
  if (!enabled) {
    if (wanted.plugin) await session.write(`sys/plugins/catalog/auth/${wanted.plugin.name}`, { sha256: wanted.plugin.sha256, command: wanted.plugin.command }, signal);
    await session.write(`sys/auth/${VAULT.authMount}`, { type: wanted.plugin?.name ?? 'kubernetes' }, signal);
  }
  const configured = enabled && isConfigured(await session.read(`auth/${VAULT.authMount}/config`, signal), wanted);
  // Written each time: whether the reviewer's token in it still works cannot be read back.
  await session.write(`auth/${VAULT.authMount}/config`, {
    kubernetes_host: wanted.kubernetesHost, kubernetes_ca_cert: reviewer.certificateAuthority, token_reviewer_jwt: reviewer.jwt, disable_local_ca_jwt: true,
  }, signal);
  return [...(enabled ? [] : [`auth method at ${VAULT.authMount}/`]), ...(configured ? [] : [`configuration of auth/${VAULT.authMount}`])];
}

function hasKv(answer: unknown): boolean {
  const mount = answer === undefined ? undefined : mountsSchema.parse(answer).data[`${VAULT.kvMount}/`];
  return mount?.type === 'kv' && mount.options?.['version'] === '2';
}

function hasKubernetes(answer: unknown): boolean {
  return answer !== undefined && mountsSchema.parse(answer).data[`${VAULT.authMount}/`] !== undefined;
}

function isConfigured(answer: unknown, wanted: WantedFoundation): boolean {
  if (answer === undefined) return false;
  const { data } = configSchema.parse(answer);
  return data.kubernetes_host === wanted.kubernetesHost && data.kubernetes_ca_cert.trim() === wanted.certificateAuthority.trim() && data.disable_local_ca_jwt && data.token_reviewer_jwt_set;
}

/** Requests are logged by the server, values in them only as HMAC. A server that refuses is no reason to stop. */
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
      await session.read(`${VAULT.kvMount}/config`, signal);
      return;
    } catch (error) {
      if (!(error instanceof VaultError) || error.status !== 400 || Date.now() > deadline) throw error;
      await sleep(50, undefined, signal ? { signal } : {});
    }
  }
}
