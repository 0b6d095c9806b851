/**
 * Who may do what in a real Vault, as a table: the deployer, a service, and whatever the deployer can make of itself.
 * Each line is asked of the server itself.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { acquireTools } from '../../bootstrap/tools/index.ts';
import { layFoundation } from '../../src/effects/vault/foundation.ts';
import { knownNames, writeRole } from '../../src/effects/vault/roles.ts';
import type { Catalog } from '../../src/catalog/schema.ts';
import { readConfig } from '../../src/config.ts';
import { DEPLOYER_SERVICE_ACCOUNT } from '../../src/contract/names.ts';
import { SERVICE_TTL_SECONDS } from '../../src/plan/vault/foundation.ts';
import { serviceRoles } from '../../src/plan/vault/policies.ts';
import { miniCatalog } from '../support/mini.ts';
import { serviceAccountToken, type TokenReviews, tokenReviews } from '../support/vault/token-review.ts';
import { type VaultServers, vaultServers } from '../support/vault/vault-servers.ts';

type Identity = 'deployer' | 'its own make' | 'api' | 'nobody';
const IDENTITIES: readonly Identity[] = ['deployer', 'its own make', 'api', 'nobody'];

const API = { name: 'api', namespace: 'apps' };
const READ = 'ananta-read-apps.sessions';
const ROLE = {
  bound_service_account_names: ['x'],
  bound_service_account_namespaces: ['y'],
  audience: 'vault',
  alias_name_source: 'serviceaccount_uid',
  token_ttl: 3600,
};
const EVERYTHING = { policy: 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }' };
const value = { data: { a: 'b' } };

/** The small platform; another of its services than `api` logs in to Vault, too, and reads a path of its own. */
async function withTwoLogins(): Promise<Catalog> {
  const { services, secretPaths, ...rest } = await miniCatalog();
  const secret = { path: 'apps/sessions', delivery: 'login' as const };
  return {
    ...rest,
    secretPaths: [...secretPaths, { ...secretPaths[0]!, path: secret.path }],
    services: services.map((row) => (row.name === 'worker' ? { ...row, secrets: [...row.secrets, secret] } : row)),
  };
}

/** @param allowed who may; everybody else gets 403 */
type Line = [operation: string, path: string, body: object | undefined, allowed: readonly Identity[]];

const DEPLOYER: readonly Identity[] = ['deployer'];
const MATRIX: readonly Line[] = [
  // Values.
  ['GET', 'secret/data/apps/sessions', undefined, ['deployer', 'its own make']],
  ['GET', 'secret/data/apps/api', undefined, ['deployer', 'api']],
  ['GET', 'secret/data/database/main', undefined, DEPLOYER],
  ['POST', 'secret/data/apps/new', value, DEPLOYER],
  ['POST', 'secret/data/apps/api', value, DEPLOYER],
  ['DELETE', 'secret/data/apps/api', undefined, []],
  ['LIST', 'secret/metadata/', undefined, DEPLOYER],
  ['GET', 'secret/metadata/apps/api', undefined, DEPLOYER],
  ['POST', 'secret/metadata/apps/api', { max_versions: 1 }, []],
  ['DELETE', 'secret/metadata/apps/api', undefined, []],
  ['POST', 'secret/delete/apps/api', { versions: [1] }, []],
  ['POST', 'secret/destroy/apps/api', { versions: [1] }, []],
  ['POST', 'secret/undelete/apps/api', { versions: [1] }, DEPLOYER],
  ['GET', 'secret/config', undefined, DEPLOYER],
  ['POST', 'secret/config', { delete_version_after: '1h' }, []],
  ['GET', 'theirs/value', undefined, []],
  // Mounts and logins.
  ['GET', 'sys/mounts', undefined, DEPLOYER],
  ['POST', 'sys/mounts/more', { type: 'kv' }, []],
  ['POST', 'sys/mounts/secret/tune', { max_lease_ttl: '1h' }, []],
  ['DELETE', 'sys/mounts/secret', undefined, []],
  ['POST', 'sys/remount', { from: 'secret', to: 'moved' }, []],
  ['GET', 'sys/auth', undefined, DEPLOYER],
  ['POST', 'sys/auth/approle', { type: 'approle' }, []],
  ['POST', 'sys/auth/kubernetes/tune', { max_lease_ttl: '1h' }, []],
  ['DELETE', 'sys/auth/kubernetes', undefined, []],
  ['GET', 'auth/kubernetes/config', undefined, DEPLOYER],
  ['POST', 'auth/kubernetes/config', { kubernetes_host: 'https://of-the-thief' }, []],
  // Policies.
  ['LIST', 'sys/policies/acl', undefined, DEPLOYER],
  ['GET', 'sys/policies/acl/ananta-deployer', undefined, DEPLOYER],
  ['POST', 'sys/policies/acl/ananta-deployer', EVERYTHING, []],
  ['POST', 'sys/policies/acl/ananta-Deployer', EVERYTHING, []],
  ['POST', 'sys/policies/acl/ANANTA-DEPLOYER', EVERYTHING, []],
  ['POST', 'sys/policies/acl/%61nanta-deployer', EVERYTHING, []],
  ['POST', 'sys/policies/acl/ananta-x', EVERYTHING, []],
  ['POST', `sys/policies/acl/${READ}`, EVERYTHING, []],
  ['POST', 'sys/policies/acl/ananta-read-own-path', EVERYTHING, []],
  ['POST', 'sys/policies/acl/default', EVERYTHING, []],
  ['DELETE', `sys/policies/acl/${READ}`, undefined, []],
  ['POST', 'sys/policy/ananta-x', EVERYTHING, []],
  ['POST', 'sys/policies/password/x', { policy: 'length=4' }, []],
  // Roles: what they give.
  ['LIST', 'auth/kubernetes/role', undefined, DEPLOYER],
  ['GET', 'auth/kubernetes/role/ananta-deployer', undefined, DEPLOYER],
  ['GET', 'auth/kubernetes/role/theirs', undefined, DEPLOYER],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, token_policies: [READ] }, DEPLOYER],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, token_policies: READ }, DEPLOYER],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, token_policies: ['ananta-deployer'] }, []],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, token_policies: ['Ananta-Deployer'] }, []],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, token_policies: [READ, 'ananta-deployer'] }, []],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, token_policies: `${READ},ananta-deployer` }, []],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, token_policies: `${READ}, root` }, []],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, token_policies: [`${READ},root`] }, []],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, token_policies: ['root'] }, []],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, token_policies: `["${READ}", "root"]` }, []],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, policies: ['ananta-deployer'] }, []],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, Policies: ['ananta-deployer'] }, []],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, token_policies: [READ], policies: 'root' }, []],
  ['POST', 'auth/kubernetes/role/ananta-x', { ...ROLE, token_policies: [READ], token_type: 'batch' }, []],
  ['DELETE', 'auth/kubernetes/role/ananta-x', undefined, []],
  // Roles: whose they are. Vault takes their names in any case.
  ...['ananta-deployer', 'ananta-Deployer', 'ANANTA-deployer', 'ananta-deployeR', 'Ananta-x', 'theirs'].map(
    (name): Line => ['POST', `auth/kubernetes/role/${name}`, { ...ROLE, token_policies: [READ] }, []],
  ),
  // Tokens.
  ['GET', 'auth/token/lookup-self', undefined, ['deployer', 'its own make', 'api']],
  ['POST', 'auth/token/create', {}, []],
  ['POST', 'auth/token/create', { policies: ['root'] }, []],
  ['POST', 'auth/token/create-orphan', {}, []],
  ['POST', 'auth/token/create/x', {}, []],
  ['POST', 'auth/token/roles/x', { allowed_policies: ['root'] }, []],
  ['LIST', 'auth/token/accessors', undefined, []],
  ['POST', 'auth/token/tidy', {}, []],
  // Identities: none can be given another policy.
  ['POST', 'identity/entity', { name: 'x', policies: ['root'] }, []],
  ['POST', 'identity/entity/name/x', { policies: ['ananta-deployer'] }, []],
  ['POST', 'identity/entity-alias', { name: 'x', canonical_id: 'x', mount_accessor: 'x' }, []],
  ['POST', 'identity/entity/merge', { from_entity_ids: ['x'], to_entity_id: 'y' }, []],
  ['POST', 'identity/group', { name: 'x', policies: ['root'] }, []],
  ['POST', 'identity/group-alias', { name: 'x', canonical_id: 'x', mount_accessor: 'x' }, []],
  ['POST', 'identity/lookup/entity', { name: 'x' }, []],
  ['LIST', 'identity/entity/id', undefined, []],
  ['POST', 'identity/oidc/key/x', {}, []],
  // The server.
  ['POST', 'sys/seal', {}, []],
  ['GET', 'sys/audit', undefined, []],
  ['POST', 'sys/audit/file', { type: 'file', options: { file_path: '/tmp/x' } }, []],
  ['DELETE', 'sys/audit/stdout', undefined, []],
  ['GET', 'sys/raw/core/keyring', undefined, []],
  ['POST', 'sys/plugins/catalog/auth/x', { sha256: '0', command: 'x' }, []],
  ['POST', 'sys/plugins/reload/backend', { plugin: 'kubernetes' }, []],
  // Sealed as it is: what is backed up.
  ['GET', 'sys/storage/raft/snapshot', undefined, DEPLOYER],
  ['POST', 'sys/storage/raft/snapshot-force', {}, []],
  ['POST', 'sys/storage/raft/remove-peer', { server_id: 'x' }, []],
  ['POST', 'sys/rotate', {}, []],
  ['POST', 'sys/config/cors', { enabled: true, allowed_origins: '*' }, []],
  ['POST', 'sys/quotas/rate-limit/x', { rate: 1 }, []],
  ['POST', 'sys/leases/revoke-prefix/auth/kubernetes', {}, []],
];

describe('rights in a real Vault', { concurrency: 1 }, () => {
  let catalog: Catalog;
  let servers: VaultServers;
  let reviews: TokenReviews;
  const tokens = new Map<Identity, string>();

  const ask = async (method: string, path: string, body: object | undefined, token: string): Promise<number> => {
    const answer = await fetch(`${servers.address(0)}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': token, 'x-vault-request': 'true' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  const login = async (role: string, account: { namespace: string; name: string }): Promise<string> =>
    (await servers.client.api.login('kubernetes', role, serviceAccountToken(account))).token;

  before(async () => {
    const config = readConfig();
    catalog = await withTwoLogins();
    const plugin = await acquireTools({
      names: ['vault-plugin-auth-kubernetes'],
      cacheDir: config.cacheDir,
      mirror: config.toolsMirror,
      env: config.childEnv,
    }).get('vault-plugin-auth-kubernetes');
    const file = await realpath(plugin.path);
    reviews = await tokenReviews();
    servers = await vaultServers({ count: 1, more: `plugin_directory = "${dirname(file)}"` });
    await servers.start(0, 1);
    await servers.client.open({ shares: 1, threshold: 1, cluster: 'uid' });
    await servers.client.root.run(async (session) => {
      await layFoundation(
        session,
        {
          catalog,
          kubernetesHost: reviews.address,
          certificateAuthority: '',
          plugin: {
            name: 'kubernetes',
            command: basename(file),
            sha256: createHash('sha256')
              .update(await readFile(file))
              .digest('hex'),
          },
        },
        {
          jwt: serviceAccountToken({ namespace: 'vault-system', name: 'vault-token-reviewer' }),
          certificateAuthority: '',
        },
      );
      for (const path of ['apps/sessions', 'apps/api', 'database/main'])
        await session.write(`secret/data/${path}`, value);
      await session.write('sys/mounts/theirs', { type: 'kv' });
      await session.write('theirs/value', { a: 'b' });
      await session.write('auth/kubernetes/role/theirs', { ...ROLE, token_policies: ['default'] });
    });
    tokens.set('nobody', 'hvs.no-such-token');
    tokens.set('deployer', await login('ananta-deployer', DEPLOYER_SERVICE_ACCOUNT));
    const deployer = servers.client.api.withToken(tokens.get('deployer')!);
    const known = await knownNames(deployer);
    for (const role of serviceRoles(catalog)) await writeRole(deployer, role, SERVICE_TTL_SECONDS, known);
    tokens.set('api', await login('ananta-api', API));
    // As strong as the deployer can make a role, bound to itself.
    await deployer.write('auth/kubernetes/role/ananta-thief', {
      ...ROLE,
      bound_service_account_names: [DEPLOYER_SERVICE_ACCOUNT.name],
      bound_service_account_namespaces: [DEPLOYER_SERVICE_ACCOUNT.namespace],
      token_policies: [READ, 'ananta-read-own-path'],
    });
    tokens.set('its own make', await login('ananta-thief', DEPLOYER_SERVICE_ACCOUNT));
  });
  after(async () => {
    await servers.close();
    await reviews.close();
  });

  test('are those of the table', async () => {
    const found: string[] = [];
    const expected: string[] = [];
    for (const [method, path, body, allowed] of MATRIX) {
      const line = `${method} ${path} ${JSON.stringify(body ?? {})}`;
      for (const identity of IDENTITIES) {
        const status = await ask(method, path, body, tokens.get(identity)!);
        found.push(
          `${line} ${identity}: ${status === 403 ? 'denied' : status < 300 || status === 404 ? 'allowed' : status}`,
        );
        expected.push(`${line} ${identity}: ${allowed.includes(identity) ? 'allowed' : 'denied'}`);
      }
    }
    assert.deepEqual(found, expected);
  });

  test('a service that is added reads its own path, and paths that are read already, without root', async () => {
    const deployer = servers.client.api.withToken(tokens.get('deployer')!);
    const added = { name: 'new-service', namespace: API.namespace };
    const [role] = serviceRoles({
      ...catalog,
      services: catalog.services
        .filter(({ name }) => name === API.name)
        .map((service) => ({
          ...service,
          ...added,
          secrets: ['apps/new-service', 'apps/sessions'].map((path) => ({ path, delivery: 'login' as const })),
        })),
    });
    await deployer.write('secret/data/apps/new-service', value);
    await writeRole(deployer, role!, SERVICE_TTL_SECONDS, await knownNames(deployer));
    const token = await login('ananta-new-service', added);
    const status = async (path: string): Promise<number> => ask('GET', path, undefined, token);
    assert.deepEqual(
      [
        await status('secret/data/apps/new-service'),
        await status('secret/data/apps/sessions'),
        await status('secret/data/apps/api'),
        await status('secret/data/apps/'),
      ],
      [200, 200, 403, 403],
    );
  });

  test('a role lets nobody in but its own service account, for the audience of Vault', async () => {
    const reject = { name: 'VaultError', status: 403 };
    await assert.rejects(login('ananta-api', { ...API, name: 'worker' }), reject);
    await assert.rejects(login('ananta-api', { ...API, namespace: 'theirs' }), reject);
    await assert.rejects(login('ananta-deployer', API), reject);
  });
});
