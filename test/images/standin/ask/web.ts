/** Services that are asked over HTTP: other services, Keycloak, Vault, the API server. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { z } from 'zod';
import type { HttpCheck, KubernetesCheck, OidcCheck, VaultCheck } from '../check.ts';
import { ATTEMPT_MILLISECONDS, Refused } from './refused.ts';

const VAULT_TOKEN = '/var/run/secrets/vault/token';
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** A path that no service reads from Vault itself. */
const NOBODYS_PATH = 'auth/keycloak';

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.string(), token_endpoint: z.string() });
const keysSchema = z.object({ keys: z.array(z.object({ kid: z.string() })).min(1) });
const vaultLoginSchema = z.object({ auth: z.object({ client_token: z.string() }) });
const vaultSecretSchema = z.object({ data: z.object({ data: z.record(z.string(), z.string()) }) });
const objectSchema = z.object({
  metadata: z.object({ name: z.string().optional() }),
  data: z.record(z.string(), z.string()).default({}),
});

async function ask(url: string, options: RequestInit = {}): Promise<Response> {
  return fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(ATTEMPT_MILLISECONDS), ...options });
}

async function read<T>(schema: z.ZodType<T>, url: string, options: RequestInit = {}): Promise<T> {
  const answer = await ask(url, options);
  const path = new URL(url).pathname;
  if (!answer.ok) {
    await answer.body?.cancel();
    const message = `${options.method ?? 'GET'} ${path}: ${answer.status}`;
    throw answer.status === 401 || answer.status === 403 ? new Refused(message) : new Error(message);
  }
  const body = schema.safeParse(await answer.json());
  if (!body.success) throw new Error(`${path} answers with something else than it should`);
  return body.data;
}

/** Any answer that is no server error; where a stand-in answers it must be the right one. */
export async function askHttp({ url, host }: HttpCheck): Promise<void> {
  const answer = await ask(url);
  await answer.body?.cancel();
  const self = answer.headers.get('x-stand-in');
  const wanted = host.split('.')[0];
  if (self !== null && self !== wanted) throw new Error(`${self} answers there, not ${wanted ?? host}`);
  // A stand-in that is not healthy yet says so, and is there all the same.
  if (self === null && answer.status >= 500) throw new Error(`it answers ${answer.status}`);
}

/**
 * The realm is there, has keys and the issuer that tokens are checked against; the client gets a token with its secret.
 */
export async function askOidc({ base, issuer, client }: OidcCheck): Promise<void> {
  const found = await read(discoverySchema, `${base}/.well-known/openid-configuration`);
  if (issuer !== undefined && found.issuer !== issuer)
    throw new Error(`its issuer is ${found.issuer}, the configuration says ${issuer}`);
  await read(keysSchema, `${base}/protocol/openid-connect/certs`);
  if (client === undefined) return;
  await read(z.object({ access_token: z.string() }), `${base}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: client.id, client_secret: client.secret }),
  });
}

/** Logs in with the token of its service account, reads its own paths, and is refused somebody else's. */
export async function askVault({ address, role, paths, agree }: VaultCheck): Promise<void> {
  const base = `${address.replace(/\/$/, '')}/v1`;
  const jwt = readFileSync(VAULT_TOKEN, 'utf8');
  const { auth } = await read(vaultLoginSchema, `${base}/auth/kubernetes/login`, {
    method: 'POST',
    body: JSON.stringify({ role, jwt }),
  });
  const headers = { 'x-vault-token': auth.client_token };
  for (const path of paths) {
    const { data } = await read(vaultSecretSchema, `${base}/secret/data/${path}`, { headers });
    const empty = Object.entries(data.data).find(([, value]) => value === '');
    if (empty) throw new Error(`${path} has nothing under ${empty[0]}`);
    for (const [key, value] of Object.entries(agree[path] ?? {}))
      if (data.data[key] !== value) throw new Error(`${path} says something else under ${key} than the configuration`);
  }
  const other = await ask(`${base}/secret/data/${NOBODYS_PATH}`, { headers });
  await other.body?.cancel();
  if (other.status !== 403) throw new Error(`it may read ${NOBODYS_PATH}, which is not its own: ${other.status}`);
}

/** Reads what its role lets it read. */
export async function askKubernetes({ address, paths, keys }: KubernetesCheck): Promise<void> {
  for (const path of paths) {
    const { status, body } = await askApiServer(new URL(path, address));
    if (status === 401 || status === 403) throw new Refused(`GET ${path}: ${status}`);
    if (status !== 200) throw new Error(`GET ${path}: ${status}`);
    const { metadata, data } = objectSchema.parse(JSON.parse(body));
    const missing = (keys[metadata.name ?? ''] ?? []).filter((key) => (data[key] ?? '') === '');
    if (missing.length > 0) throw new Error(`${metadata.name ?? path} lacks ${missing.join(', ')}`);
  }
}

function askApiServer(url: URL): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        ca: readFileSync(`${SERVICE_ACCOUNT}/ca.crt`),
        headers: { authorization: `Bearer ${readFileSync(`${SERVICE_ACCOUNT}/token`, 'utf8')}` },
        signal: AbortSignal.timeout(ATTEMPT_MILLISECONDS),
      },
      (answer) => {
        let body = '';
        answer
          .setEncoding('utf8')
          .on('data', (chunk: string) => (body += chunk))
          .once('end', () => resolve({ status: answer.statusCode ?? 0, body }));
      },
    );
    sent.once('error', reject).end();
  });
}
