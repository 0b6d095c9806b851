/**
 * Vault in memory, behind the tunnel that the client uses: seals, tokens, policies, logins, KV v2. It can be cut at any
 * request.
 */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Tunnel, type TunnelRequest, VaultUnreachableError } from '../../../src/clients/vault/index.ts';

interface Answer {
  status: number;
  body?: unknown;
}
interface KvPath {
  versions: {
    data: Record<string, string> | null;
    created_time: string;
    deletion_time: string;
    destroyed?: boolean;
    created_by?: { actor: string };
    deleted_by?: { actor: string };
  }[];
}

export interface FakeVault extends Tunnel {
  /** As it names itself while it is open. */
  id: string;
  /** Unseal keys that initialising it gives. */
  keys: string[];
  /** How long it takes over a snapshot after it has answered, in milliseconds. */
  takesOver: number;
  initialized: boolean;
  sealed: boolean;
  /** How often it was initialised. */
  inits: number;
  /** What the last initialisation was asked for. */
  initRequest: Record<string, unknown>;
  /** How often root tokens were made from unseal keys. */
  generated: number;
  roots: Set<string>;
  mounts: Set<string>;
  /** Tuning of mounts and auth methods by path, `secret/`, and KV's own configuration. */
  tuning: Map<string, Record<string, unknown>>;
  kvConfig: Record<string, unknown>;
  config?: Record<string, unknown> | undefined;
  /** The reviewer's token that the cluster takes; any when absent. */
  reviewer?: string;
  /** Answers 403 to what it fits, to everybody but root. */
  denied: RegExp | undefined;
  auths: Set<string>;
  policies: Map<string, string>;
  roles: Map<string, Record<string, unknown>>;
  kv: Map<string, KvPath>;
  requests: string[];
  seal: () => void;
  /**
   * The request with this number, counted from now, fails: before it is processed, or when its answer is on the way.
   */
  cutAt: (number: number, when: 'before' | 'after') => void;
  heal: () => void;
}

const KEYS = ['a2V5LW9uZQ==', 'a2V5LXR3bw==', 'a2V5LXRocmVl'];

export function fakeVault(): FakeVault {
  let cut: { at: number; when: 'before' | 'after' } | undefined;
  let counted = 0;
  let given = new Set<string>();
  let reviewer = '';
  let threshold = 1;
  const deployers = new Set<string>();
  const attempt = { nonce: '', otp: '', keys: new Set<string>() };

  const handle = ({ method, path, headers, body }: TunnelRequest): Answer => {
    const json = (body === undefined ? {} : JSON.parse(body)) as Record<string, unknown>;
    const route = `${method} ${path.replace('/v1/', '')}`;
    if (route === 'GET sys/health')
      return {
        status: vault.initialized ? (vault.sealed ? 503 : 200) : 501,
        body: {
          initialized: vault.initialized,
          sealed: vault.sealed,
          standby: false,
          version: '1.0.0',
          ...(vault.sealed ? {} : { cluster_id: vault.id }),
        },
      };
    if (route === 'GET sys/seal-status')
      return {
        status: 200,
        body: { initialized: vault.initialized, sealed: vault.sealed, t: threshold, progress: given.size },
      };
    if (/(POST|PUT) sys\/init/.test(route)) return init(json);
    if (!vault.initialized) return { status: 400, body: { errors: ['Vault is not initialized'] } };
    if (/(POST|PUT) sys\/unseal/.test(route)) return unseal(String(json['key']));
    if (vault.sealed) return { status: 503, body: { errors: ['Vault is sealed'] } };
    if (route.includes('sys/generate-root')) return generateRoot(route, json);
    if (/POST auth\/kubernetes\/login/.test(route)) return login(json);
    const token = headers['X-Vault-Token'] ?? '';
    const isRoot = vault.roots.has(token);
    if (!isRoot && !deployers.has(token)) return { status: 403, body: { errors: ['permission denied'] } };
    if (route === 'GET auth/token/lookup-self')
      return { status: 200, body: { data: { policies: isRoot ? ['root'] : ['ananta-deployer'] } } };
    if (route === 'POST auth/token/revoke-self') {
      vault.roots.delete(token);
      return { status: 204 };
    }
    if (
      / (secret|auth\/kubernetes)\//.test(` ${path.replace('/v1/', '')}`) &&
      path.includes('/secret/') &&
      !vault.mounts.has('secret/')
    )
      return { status: 404, body: { errors: [] } };
    return authorized(route, json, isRoot);
  };

  const init = (json: Record<string, unknown>): Answer => {
    const recovery = json['recovery_shares'] !== undefined;
    const [shares, needed] = recovery
      ? [json['recovery_shares'], json['recovery_threshold']]
      : [json['secret_shares'], json['secret_threshold']];
    vault.initRequest = json;
    if (vault.initialized) return { status: 400, body: { errors: ['Vault is already initialized'] } };
    vault.initialized = true;
    vault.inits += 1;
    threshold = Number(needed);
    const root = `root-${randomUUID()}`;
    vault.roots.add(root);
    const keys = vault.keys.slice(0, Number(shares));
    if (recovery) vault.sealed = false;
    return {
      status: 200,
      body: recovery
        ? { keys: [], keys_base64: [], recovery_keys: keys, recovery_keys_base64: keys, root_token: root }
        : { keys, keys_base64: keys, root_token: root },
    };
  };
  const unseal = (key: string): Answer => {
    if (vault.keys.includes(key)) given.add(key);
    if (given.size >= threshold) {
      vault.sealed = false;
      given = new Set();
    }
    return { status: 200, body: { sealed: vault.sealed } };
  };
  const generateRoot = (route: string, { key, nonce }: Record<string, unknown>): Answer => {
    if (route.startsWith('DELETE')) return { status: 204 };
    if (route.endsWith('attempt')) {
      Object.assign(attempt, {
        nonce: randomUUID(),
        otp: randomUUID().replaceAll('-', '').slice(0, 28),
        keys: new Set(),
      });
      return { status: 200, body: { nonce: attempt.nonce, otp: attempt.otp, complete: false } };
    }
    if (nonce !== attempt.nonce) return { status: 400, body: { errors: ['wrong nonce'] } };
    attempt.keys.add(String(key));
    if (attempt.keys.size < threshold) return { status: 200, body: { nonce: attempt.nonce, complete: false } };
    const root = `hvs.${randomUUID().slice(0, 24)}`;
    vault.roots.add(root);
    vault.generated += 1;
    const masked = Buffer.from([...Buffer.from(root)].map((byte, index) => byte ^ attempt.otp.charCodeAt(index)));
    return {
      status: 200,
      body: { nonce: attempt.nonce, complete: true, encoded_token: masked.toString('base64').replace(/=+$/, '') },
    };
  };
  const login = ({ role }: Record<string, unknown>): Answer => {
    if (!vault.auths.has('kubernetes/') || (vault.reviewer !== undefined && reviewer !== vault.reviewer))
      return { status: 403, body: { errors: ['permission denied'] } };
    if (!vault.roles.has(String(role)) || !vault.policies.has(String(role)))
      return { status: 400, body: { errors: [`invalid role name "${String(role)}"`] } };
    const token = `deployer-${randomUUID()}`;
    deployers.add(token);
    return { status: 200, body: { auth: { client_token: token, lease_duration: 900 } } };
  };

  const authorized = (route: string, json: Record<string, unknown>, isRoot: boolean): Answer => {
    const denied: Answer = { status: 403, body: { errors: ['permission denied'] } };
    if (!isRoot && vault.denied?.test(route)) return denied;
    const named = (prefix: string): string => route.slice(route.indexOf(prefix) + prefix.length);
    if (route === 'GET sys/mounts')
      return {
        status: 200,
        body: {
          data: Object.fromEntries(
            [...vault.mounts].map((name) => [
              name,
              {
                type: name === 'secret/' ? 'kv' : 'generic',
                options: { version: '2' },
                config: vault.tuning.get(name) ?? {},
              },
            ]),
          ),
        },
      };
    if (route === 'GET sys/auth')
      return {
        status: 200,
        body: {
          data: Object.fromEntries(
            [...vault.auths].map((name) => [
              name,
              {
                type: name === 'kubernetes/' ? 'kubernetes' : 'userpass',
                accessor: `auth_${name.replace('/', '')}_fake`,
                options: null,
                config: vault.tuning.get(`auth/${name}`) ?? {},
              },
            ]),
          ),
        },
      };
    if (route === 'GET sys/audit')
      return isRoot ? { status: 200, body: { data: vault.audits.size > 0 ? { 'stdout/': {} } : {} } } : denied;
    if (route === 'LIST sys/policies/acl')
      return { status: 200, body: { data: { keys: ['default', ...vault.policies.keys()] } } };
    if (route === 'LIST auth/kubernetes/role')
      return vault.roles.size > 0
        ? { status: 200, body: { data: { keys: [...vault.roles.keys()] } } }
        : { status: 404, body: { errors: [] } };
    if (route === 'GET secret/config')
      return vault.mounts.has('secret/')
        ? { status: 200, body: { data: vault.kvConfig } }
        : { status: 404, body: { errors: [] } };
    if (route === 'POST secret/config') {
      vault.kvConfig = json;
      return { status: 204 };
    }
    const tuned = /^POST sys\/(?:mounts\/|(?=auth\/))(.+\/)tune$/.exec(route)?.[1];
    if (tuned !== undefined) {
      if (!isRoot) return denied;
      vault.tuning.set(tuned, json);
      return { status: 204 };
    }
    if (route.startsWith('POST secret/undelete/')) {
      for (const number of json['versions'] as number[])
        Object.assign(vault.kv.get(named('secret/undelete/'))!.versions[number - 1]!, {
          deletion_time: '',
          deleted_by: undefined,
        });
      return { status: 204 };
    }
    if (route.includes(' secret/data/'))
      return route.startsWith('GET') ? readKv(named('secret/data/')) : writeKv(named('secret/data/'), json);
    if (route.startsWith('GET secret/metadata/')) return metadataKv(named('secret/metadata/'));
    if (route.startsWith('LIST secret/metadata/')) {
      const folder = named('secret/metadata/');
      const below = [...vault.kv.keys()].filter((path) => path.startsWith(folder));
      const names = below.map((path) => /^[^/]+\/?/.exec(path.slice(folder.length))![0]);
      return below.length === 0
        ? { status: 404, body: { errors: [] } }
        : { status: 200, body: { data: { keys: [...new Set(names)].sort() } } };
    }
    if (route.startsWith('GET sys/policies/acl/'))
      return vault.policies.has(named('acl/'))
        ? { status: 200, body: { data: { policy: vault.policies.get(named('acl/')) } } }
        : { status: 404, body: { errors: [] } };
    if (route.startsWith('GET auth/kubernetes/role/'))
      return vault.roles.has(named('role/'))
        ? { status: 200, body: { data: vault.roles.get(named('role/')) } }
        : { status: 404, body: { errors: [] } };
    if (route === 'GET auth/kubernetes/config')
      return vault.config ? { status: 200, body: { data: vault.config } } : { status: 404, body: { errors: [] } };
    if (
      route.startsWith('POST') &&
      !isRoot &&
      (/ sys\/(mounts|auth|audit|plugins|policies\/acl)\//.test(route) ||
        route === 'POST auth/kubernetes/config' ||
        /role\/ananta-deployer$/i.test(route) ||
        (route.includes(' auth/kubernetes/role/') && !opensPaths(json['token_policies'])))
    )
      return denied;
    if (route.startsWith('DELETE')) {
      if (!isRoot) return denied;
      if (route.startsWith('DELETE sys/policies/acl/')) vault.policies.delete(named('acl/'));
      else if (route.startsWith('DELETE auth/kubernetes/role/')) vault.roles.delete(named('role/'));
      else return { status: 404, body: { errors: [`no handler for ${route}`] } };
      return { status: 204 };
    }
    if (route.startsWith('POST sys/mounts/')) vault.mounts.add(`${named('sys/mounts/')}/`);
    else if (route.startsWith('POST sys/auth/')) vault.auths.add(`${named('sys/auth/')}/`);
    else if (route.startsWith('POST sys/audit/')) vault.audits.add('stdout/');
    else if (route.startsWith('POST sys/policies/acl/')) vault.policies.set(named('acl/'), String(json['policy']));
    else if (route.startsWith('POST auth/kubernetes/role/')) vault.roles.set(named('role/'), json);
    else if (route === 'POST auth/kubernetes/config') {
      reviewer = String(json['token_reviewer_jwt']);
      vault.config = { ...json, token_reviewer_jwt: undefined, token_reviewer_jwt_set: true };
    } else return { status: 404, body: { errors: [`no handler for ${route}`] } };
    return { status: 204 };
  };
  const readKv = (request: string): Answer => {
    const [path = '', number] = request.split('?version=');
    const versions = vault.kv.get(path)?.versions;
    const version = number === undefined ? (versions?.length ?? 0) : Number(number);
    const entry = versions?.[version - 1];
    if (!entry) return { status: 404, body: { errors: [] } };
    const gone = entry.data === null || entry.deletion_time !== '' || entry.destroyed === true;
    return {
      status: gone ? 404 : 200,
      body: { data: { data: gone ? null : entry.data, metadata: { version, created_time: entry.created_time } } },
    };
  };
  const writeKv = (path: string, { data, options }: Record<string, unknown>): Answer => {
    const known = vault.kv.get(path) ?? { versions: [] };
    if ((options as { cas?: number }).cas !== known.versions.length)
      return { status: 400, body: { errors: ['check-and-set parameter did not match the current version'] } };
    known.versions.push({
      data: data as Record<string, string>,
      created_time: new Date().toISOString(),
      deletion_time: '',
    });
    vault.kv.set(path, known);
    return { status: 200, body: { data: { version: known.versions.length } } };
  };
  const metadataKv = (path: string): Answer => {
    const known = vault.kv.get(path);
    if (!known) return { status: 404, body: { errors: [] } };
    return {
      status: 200,
      body: {
        data: {
          current_version: known.versions.length,
          versions: Object.fromEntries(
            known.versions.map(({ data: _data, destroyed = false, ...version }, index) => [
              String(index + 1),
              { ...version, destroyed },
            ]),
          ),
        },
      },
    };
  };

  /** As raft does: the storage as a whole, which only root puts back, and which answers before it is taken over. */
  const stored = ['mounts', 'auths', 'policies', 'roles', 'kv', 'tuning'] as const;
  const stream: Tunnel['stream'] = async ({ method, path, headers, body }) => {
    vault.requests.push(`${method} ${path}`);
    const given = body === undefined ? undefined : await buffer(body);
    const answer = (status: number, content: string | Buffer = ''): { status: number; body: Readable } => ({
      status,
      body: Readable.from([content], { objectMode: false }),
    });
    const refused = (status: number, error: string): ReturnType<typeof answer> =>
      answer(status, JSON.stringify({ errors: [error] }));
    if (vault.sealed) return refused(503, 'Vault is sealed');
    const token = headers['X-Vault-Token'] ?? '';
    const isRoot = vault.roots.has(token);
    if (`${method} ${path}` === 'GET /v1/sys/storage/raft/snapshot') {
      const granted = vault.policies.get('ananta-deployer')?.includes('"sys/storage/raft/snapshot"') === true;
      if (!isRoot && !(deployers.has(token) && granted)) return refused(403, 'permission denied');
      const state = Object.fromEntries(stored.map((part) => [part, [...(vault[part] as Iterable<unknown>)]]));
      return answer(
        200,
        Buffer.from(JSON.stringify({ ...state, id: vault.id, keys: vault.keys, threshold, reviewer })),
      );
    }
    if (`${method} ${path}` !== 'POST /v1/sys/storage/raft/snapshot-force') return refused(404, 'unsupported path');
    if (!isRoot) return refused(403, 'permission denied');
    const snapshot = JSON.parse(given?.toString() ?? '') as Record<string, unknown>;
    setTimeout(() => {
      for (const part of stored) {
        const values = snapshot[part] as never[];
        Object.assign(vault, { [part]: vault[part] instanceof Map ? new Map(values) : new Set(values) });
      }
      vault.sealed = String(snapshot['keys']) !== String(vault.keys);
      Object.assign(vault, { id: snapshot['id'], keys: snapshot['keys'], roots: new Set() });
      deployers.clear();
      threshold = Number(snapshot['threshold']);
      reviewer = String(snapshot['reviewer']);
    }, vault.takesOver);
    return answer(204);
  };

  const vault: FakeVault & { audits: Set<string> } = {
    id: randomUUID(),
    keys: KEYS,
    takesOver: 20,
    stream,
    tuning: new Map(),
    kvConfig: { max_versions: 0, cas_required: false, delete_version_after: '0s' },
    config: undefined,
    denied: undefined,
    initialized: false,
    sealed: true,
    inits: 0,
    initRequest: {},
    generated: 0,
    audits: new Set(),
    roots: new Set(),
    mounts: new Set(),
    auths: new Set(),
    policies: new Map(),
    roles: new Map(),
    kv: new Map(),
    requests: [],
    seal: () => {
      vault.sealed = true;
    },
    cutAt: (number, when) => {
      counted = 0;
      cut = { at: number, when };
    },
    heal: () => {
      cut = undefined;
    },
    request: (request) => {
      request.signal?.throwIfAborted();
      vault.requests.push(`${request.method} ${request.path}`);
      counted += 1;
      if (cut && counted >= cut.at && (cut.when === 'before' || counted > cut.at))
        return Promise.reject(new VaultUnreachableError('cut'));
      const { status, body } = handle(request);
      if (cut && counted >= cut.at) return Promise.reject(new VaultUnreachableError('cut'));
      return Promise.resolve({ status, body: body === undefined ? '' : JSON.stringify(body) });
    },
    hasPod: () => Promise.resolve(true),
    pods: () => Promise.resolve(['vault-0']),
    at: () => vault,
    close: () => undefined,
  };
  return vault;
}

/** As the deployer's policy bounds the roles that it writes. */
function opensPaths(policies: unknown): boolean {
  return [policies].flat().every((name) => typeof name === 'string' && /^ananta-read-[^,]*$/.test(name));
}
