/** node-vault on top of the tunnel: its paths and verbs, our connection, no environment variables, no debug output. */
import { setTimeout as sleep } from 'node:timers/promises';
import NodeVault from 'node-vault';
import { z } from 'zod';
import { parseJson } from './json.ts';
import { VaultError, VaultSealedError, VaultUnreachableError } from './errors.ts';
import type { TunnelRequest, VaultWay } from './tunnel.ts';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

export interface VaultHealth {
  initialized: boolean;
  sealed: boolean;
  standby: boolean;
  version: string;
  /** The cluster id of the Vault, known while it is unsealed: a Vault that is initialised anew has another id. */
  id?: string | undefined;
}

export interface KvSecret {
  data: Record<string, string>;
  version: number;
}

export interface InitOptions {
  shares: number;
  threshold: number;
  /** A key service unseals it: initialising returns recovery keys in place of unseal keys. */
  autoUnseal?: boolean | undefined;
  /** Base64 of OpenPGP public keys, one for each share: what comes back is encrypted to them. */
  publicKeys?: readonly string[] | undefined;
  /** Base64 of the OpenPGP public key to which the root token is encrypted. */
  rootTokenKey?: string | undefined;
}

/** Vault with one token. Paths are without a leading slash. Answers of 404 are undefined, not errors. */
export interface VaultSession {
  read(path: string, signal?: AbortSignal): Promise<unknown>;
  write(path: string, data: Record<string, unknown>, signal?: AbortSignal): Promise<unknown>;
  list(path: string, signal?: AbortSignal): Promise<string[]>;
  remove(path: string, signal?: AbortSignal): Promise<void>;
  /** The answer as a stream, for large bodies that are not JSON. It has to be read to its end, or destroyed. */
  download(path: string, signal?: AbortSignal): Promise<Readable>;
  upload(path: string, body: Readable, signal?: AbortSignal): Promise<void>;
}

export interface VaultApi {
  health(signal?: AbortSignal): Promise<VaultHealth>;
  init(options: InitOptions): Promise<{ keys: string[]; rootToken: string }>;
  /** How far an unsealing by several people is. */
  sealStatus(
    signal?: AbortSignal,
  ): Promise<{ sealed: boolean; initialized: boolean; threshold: number; given: number }>;
  /** @returns whether it is still sealed */
  unseal(key: string, signal?: AbortSignal): Promise<boolean>;
  /** Forgets the shares given so far. */
  resetUnseal(signal?: AbortSignal): Promise<void>;
  /** Makes a new root token from unseal keys. */
  generateRoot(keys: readonly string[], signal?: AbortSignal): Promise<string>;
  /** @returns the token and its lifetime in seconds */
  login(mount: string, role: string, jwt: string, signal?: AbortSignal): Promise<{ token: string; seconds: number }>;
  withToken(token: string): VaultSession;
}

const healthSchema = z
  .object({
    initialized: z.boolean(),
    sealed: z.boolean(),
    standby: z.boolean().default(false),
    version: z.string().default(''),
    cluster_id: z.string().optional(),
  })
  .transform(({ cluster_id: id, ...health }) => ({ ...health, ...(id === undefined ? {} : { id }) }));
const errorsSchema = z.object({ errors: z.array(z.string()).default([]) });
const initSchema = z.object({
  keys_base64: z.array(z.string().min(1)).nullish(),
  recovery_keys_base64: z.array(z.string().min(1)).nullish(),
  root_token: z.string().min(1),
});
const sealStatusSchema = z.object({
  sealed: z.boolean(),
  initialized: z.boolean().default(true),
  t: z.number().default(0),
  progress: z.number().default(0),
});
const attemptSchema = z.object({
  nonce: z.string(),
  otp: z.string().default(''),
  complete: z.boolean().default(false),
  encoded_token: z.string().nullish(),
});
const loginSchema = z.object({ auth: z.object({ client_token: z.string().min(1), lease_duration: z.number() }) });
const listSchema = z.object({ data: z.object({ keys: z.array(z.string()) }) });

/** What node-vault hands to its transport. */
interface Outgoing {
  method: string;
  uri: string;
  headers?: Record<string, string>;
  json?: unknown;
  signal?: AbortSignal;
}

/** Requests that set up storage or start a plug-in take Vault longer than all others. */
const SLOW = /^\/v1\/sys\/(init|unseal|mounts\/|auth\/|plugins\/)/;
const SLOW_SECONDS = 30;

const NOT_ACTIVE = /local node not active|no active Vault/i;
const NOT_ACTIVE_PAUSE_MILLISECONDS = 100;
const BECOMES_ACTIVE_MILLISECONDS = 10_000;

const ENDPOINT = 'http://vault';

export function createVaultApi(tunnel: VaultWay): VaultApi {
  const transport = async (
    options: Outgoing,
  ): Promise<{ statusCode: number; body: unknown; request: { path: string } }> => {
    const path = options.uri.slice(ENDPOINT.length);
    const body = options.json !== null && typeof options.json === 'object' ? JSON.stringify(options.json) : undefined;
    const answer = await untilActive(tunnel, {
      method: options.method,
      path,
      headers: { 'x-vault-request': 'true', ...options.headers },
      body,
      signal: options.signal,
      timeoutSeconds: SLOW.test(path) ? SLOW_SECONDS : undefined,
    });
    return { statusCode: answer.status, body: parseJson(answer.body), request: { path } };
  };
  const client = (token: string): NodeVault.client => {
    const vault = NodeVault({
      endpoint: ENDPOINT,
      apiVersion: 'v1',
      debug: () => undefined,
      'request-promise': { defaults: () => transport },
    });
    // The library would take these from the process environment, where the user's own Vault may be named.
    return Object.assign(vault, { token, namespace: '', pathPrefix: '' });
  };
  const anonymous = client('');
  const call = async (request: string, answer: Promise<unknown>): Promise<unknown> => {
    try {
      return await answer;
    } catch (error) {
      throw asVaultError(request, error);
    }
  };

  return {
    health: async (signal) => healthSchema.parse(await call('sys/health', anonymous.read('sys/health', { signal }))),
    init: async (options) => {
      const answer = initSchema.parse(await call('sys/init', anonymous.write('sys/init', initRequest(options))));
      return {
        keys: (options.autoUnseal ? answer.recovery_keys_base64 : answer.keys_base64) ?? [],
        rootToken: answer.root_token,
      };
    },
    sealStatus: async (signal) => {
      const { sealed, initialized, t, progress } = sealStatusSchema.parse(
        await call('sys/seal-status', anonymous.read('sys/seal-status', { signal })),
      );
      return { sealed, initialized, threshold: t, given: progress };
    },
    unseal: async (key, signal) =>
      sealStatusSchema.parse(await call('sys/unseal', anonymous.write('sys/unseal', { key }, { signal }))).sealed,
    resetUnseal: async (signal) => {
      await call('sys/unseal', anonymous.write('sys/unseal', { reset: true }, { signal }));
    },
    generateRoot: async (keys, signal) => {
      await call('sys/generate-root/attempt', anonymous.delete('sys/generate-root/attempt', { signal }));
      const { nonce, otp } = attemptSchema.parse(
        await call('sys/generate-root/attempt', anonymous.write('sys/generate-root/attempt', {}, { signal })),
      );
      for (const key of keys) {
        const step = attemptSchema.parse(
          await call(
            'sys/generate-root/update',
            anonymous.write('sys/generate-root/update', { key, nonce }, { signal }),
          ),
        );
        if (step.complete && step.encoded_token) return unmask(step.encoded_token, otp);
      }
      throw new VaultError(
        'sys/generate-root/update',
        400,
        `${keys.length} unseal keys are not enough for a new root token`,
      );
    },
    login: async (mount, role, jwt, signal) => {
      const { auth } = loginSchema.parse(
        await call(`auth/${mount}/login`, anonymous.write(`auth/${mount}/login`, { role, jwt }, { signal })),
      );
      return { token: auth.client_token, seconds: auth.lease_duration };
    },
    withToken: (token) => sessionOf(client(token), call, streaming(tunnel, token)),
  };
}

function initRequest({
  shares,
  threshold,
  autoUnseal,
  publicKeys,
  rootTokenKey,
}: InitOptions): Record<string, unknown> {
  const { kind, keys } = autoUnseal
    ? { kind: 'recovery', keys: 'recovery_pgp_keys' }
    : { kind: 'secret', keys: 'pgp_keys' };
  return {
    [`${kind}_shares`]: shares,
    [`${kind}_threshold`]: threshold,
    ...(publicKeys === undefined ? {} : { [keys]: publicKeys }),
    ...(rootTokenKey === undefined ? {} : { root_token_pgp_key: rootTokenKey }),
  };
}

/**
 * A server that has just been unsealed refuses everything until it is the active one. Nothing was done then, so any
 * request is safe to repeat.
 */
async function untilActive(
  tunnel: Pick<VaultWay, 'request'>,
  request: TunnelRequest,
): Promise<{ status: number; body: string }> {
  const deadline = Date.now() + BECOMES_ACTIVE_MILLISECONDS;
  for (;;) {
    const answer = await tunnel.request(request);
    if (answer.status !== 500 || !NOT_ACTIVE.test(answer.body)) return answer;
    if (Date.now() > deadline)
      throw new VaultUnreachableError(
        `Vault, ${request.method} ${request.path}: no server has become the active one within ${BECOMES_ACTIVE_MILLISECONDS / 1000} s`,
      );
    await sleep(NOT_ACTIVE_PAUSE_MILLISECONDS, undefined, request.signal ? { signal: request.signal } : {});
  }
}

function sessionOf(
  vault: NodeVault.client,
  call: (request: string, answer: Promise<unknown>) => Promise<unknown>,
  streams: Pick<VaultSession, 'download' | 'upload'>,
): VaultSession {
  const orUndefined = async (request: string, answer: Promise<unknown>): Promise<unknown> => {
    try {
      return await call(request, answer);
    } catch (error) {
      if (error instanceof VaultError && error.status === 404) return undefined;
      throw error;
    }
  };
  return {
    read: (path, signal) => orUndefined(`read ${path}`, vault.read(path, { signal })),
    write: (path, data, signal) => call(`write ${path}`, vault.write(path, data, { signal })),
    list: async (path, signal) => {
      const answer = await orUndefined(`list ${path}`, vault.list(path, { signal }));
      return answer === undefined ? [] : listSchema.parse(answer).data.keys;
    },
    remove: async (path, signal) => {
      await orUndefined(`delete ${path}`, vault.delete(path, { signal }));
    },
    ...streams,
  };
}

/** The library reads every answer as text. */
function streaming(tunnel: Pick<VaultWay, 'stream'>, token: string): Pick<VaultSession, 'download' | 'upload'> {
  const headers = { 'x-vault-request': 'true', 'X-Vault-Token': token };
  const refusal = async (request: string, status: number, body: Readable): Promise<Error> => {
    const said = errorsSchema.safeParse(parseJson(await text(body))).data?.errors.join('; ') ?? '';
    return status === 503 || /Vault is sealed/i.test(said)
      ? new VaultSealedError(`Vault, ${request}: it is sealed`)
      : new VaultError(request, status, said === '' ? 'no message' : said);
  };
  return {
    download: async (path, signal) => {
      const { status, body } = await tunnel.stream({ method: 'GET', path: `/v1/${path}`, headers, signal });
      if (status !== 200) throw await refusal(`read ${path}`, status, body);
      return body;
    },
    upload: async (path, content, signal) => {
      const { status, body } = await tunnel.stream({
        method: 'POST',
        path: `/v1/${path}`,
        headers,
        body: content,
        signal,
      });
      if (status >= 300) throw await refusal(`write ${path}`, status, body);
      body.resume();
    },
  };
}

function asVaultError(request: string, error: unknown): unknown {
  const response = (error as { response?: { statusCode?: number } }).response;
  if (response?.statusCode === undefined) return error;
  const message = error instanceof Error ? error.message : 'no message';
  if (response.statusCode === 503 || /Vault is sealed/i.test(message))
    return new VaultSealedError(`Vault, ${request}: it is sealed`);
  return new VaultError(request, response.statusCode, message);
}

/** The new root token comes XORed with the one-time password of its attempt. */
function unmask(encoded: string, otp: string): string {
  const masked = Buffer.from(encoded, 'base64');
  const pad = Buffer.from(otp, 'utf8');
  return Buffer.from(masked.map((byte, index) => byte ^ (pad[index] ?? 0))).toString('utf8');
}
