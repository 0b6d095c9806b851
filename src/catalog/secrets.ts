/**
 * Every path below the KV mount `secret/`, with its keys and how their values come to be. Key names are those that the
 * images and charts which read them expect.
 */
import type { SecretKey, SecretPathInput } from './schema.ts';

const password = (name: string) => ({ kind: 'generated', name, format: 'alphanumeric', length: 32 }) as const;
const fixed = (name: string, value: string): SecretKey => ({ kind: 'fixed', name, value });
const redisPassword = (server: string): SecretKey => ({
  ...password('redis-password'),
  rotation: { system: 'redis', server },
});
const never = (key: Extract<SecretKey, { kind: 'generated' }>, refused: string): SecretKey => ({
  ...key,
  rotation: { refused },
});

/** Password of a role that logs in to PostgreSQL. @param of the server: its path; @param keys of this path */
const rolePassword = (
  { server, path: at, database }: { server: string; path: string; database: string },
  keys: { password: string; username: string } = { password: 'password', username: 'username' },
): SecretKey => ({
  ...password(keys.password),
  rotation: {
    system: 'postgresql',
    server,
    database,
    username: keys.username,
    admin: { path: at, key: 'postgres-password', username: 'postgres-username' },
  },
});
/** The superuser of a server: its name, and its password. */
const superuser = (server: string): SecretKey[] => [
  fixed('postgres-username', 'postgres'),
  {
    ...password('postgres-password'),
    rotation: { system: 'postgresql', server, database: 'postgres', username: 'postgres-username' },
  },
];
const CONTROL_PLANE = { server: 'control-plane-postgres', path: 'database/postgres' };
const TENANTS = { server: 'supabase-db', path: 'database/supabase' };

/** A PostgreSQL server: its superuser (`postgres`) and the role that owns its main database. */
const postgres = (
  { server, path }: { server: string; path: string },
  owner: string,
  description: string,
  database = owner,
): SecretPathInput => ({
  path,
  origin: 'seed',
  description,
  keys: [...superuser(server), fixed('username', owner), rolePassword({ server, path, database })],
});

/** An object store: its root user, and the user that applications work with. */
const minio = (path: string, server: string): SecretPathInput => ({
  path,
  origin: 'seed',
  description: `${server}: root user, and the application user that the bucket Job makes`,
  keys: [
    fixed('rootUser', `${server}-root`),
    { ...password('rootPassword'), rotation: { system: 'minio', server, username: 'rootUser' } },
    fixed('accessKey', server),
    {
      ...password('secretKey'),
      rotation: {
        system: 'minio',
        server,
        username: 'accessKey',
        admin: { path, key: 'rootPassword', username: 'rootUser' },
      },
    },
  ],
});

export const SECRET_PATHS: SecretPathInput[] = [
  postgres(CONTROL_PLANE, 'arc_saas', 'control-plane-postgres: superuser, and the owner of arc_saas'),
  {
    path: 'database/keycloak',
    origin: 'seed',
    description: 'Owner of the database keycloak on control-plane-postgres',
    keys: [fixed('username', 'keycloak'), rolePassword({ ...CONTROL_PLANE, database: 'keycloak' })],
  },
  postgres(
    { server: 'temporal-postgresql', path: 'database/temporal' },
    'temporal',
    'temporal-postgresql: superuser, and the owner of temporal and temporal_visibility',
  ),
  {
    path: 'database/supabase',
    origin: 'seed',
    description: 'supabase-db: superuser, the owner of supabase, and the role that PostgREST logs in with',
    keys: [
      ...superuser('supabase-db'),
      fixed('username', 'supabase_admin'),
      rolePassword({ ...TENANTS, database: 'supabase' }),
      fixed('authenticator-username', 'authenticator'),
      rolePassword(
        { ...TENANTS, database: 'supabase' },
        { password: 'authenticator-password', username: 'authenticator-username' },
      ),
    ],
  },
  postgres(
    { server: 'components-v2-postgres', path: 'database/components-v2' },
    'components',
    'components-v2-postgres: superuser, and the owner of components',
  ),

  {
    path: 'cache/control-plane-redis',
    origin: 'seed',
    description: 'Lead tokens and sessions',
    keys: [redisPassword('control-plane-redis')],
  },
  {
    path: 'cache/app-plane-redis',
    origin: 'seed',
    description: 'App plane cache',
    keys: [redisPassword('app-plane-redis')],
  },
  {
    path: 'cache/novu-redis',
    origin: 'ours',
    description: 'Novu queues and cache',
    keys: [redisPassword('novu-redis')],
  },

  {
    path: 'auth/keycloak',
    origin: 'seed',
    description: 'Keycloak administrator, and the secrets of confidential clients of the realm ananta-saas',
    keys: [
      fixed('admin-username', 'admin'),
      never(
        password('admin-password'),
        'Keycloak takes it at its first start alone and keeps it in its database from then on: set it there (kcadm.sh set-password -r master), then here (vault kv patch). The Job keycloak-init logs in with what stands here.',
      ),
      never(
        password('tenant-management-service-client-secret'),
        'Keycloak keeps one secret of a client, unless its preview feature client-secret-rotation is on: set it there (kcadm.sh update clients/ID -r ananta-saas), here (vault kv patch), and deploy, which restarts tenant-management-service; until it has restarted Keycloak refuses it.',
      ),
    ],
  },

  minio('storage/control-plane-minio', 'control-plane-minio'),
  minio('storage/app-plane-minio', 'app-plane-minio'),

  {
    path: 'notifications/novu',
    origin: 'seed',
    description: 'Novu: token signing, encryption at rest, and the API key of its consumers',
    keys: [
      never(
        { kind: 'generated', name: 'jwt-secret', format: 'hex', length: 64 },
        'Novu signs the sessions of its users with it and takes no second one: replacing it (vault kv patch, then a deployment, which restarts novu-api and novu-ws) ends them all, and people log in again.',
      ),
      // Novu accepts exactly 32 characters here.
      never(
        { kind: 'generated', name: 'store-encryption-key', format: 'alphanumeric', length: 32 },
        "Novu has encrypted its integrations' credentials with it; each would have to be entered again with a new key.",
      ),
      never(
        { kind: 'generated', name: 'novu-secret-key', format: 'hex', length: 64 },
        'novu-api and novu-worker have to have the same one at any time, and neither takes a second: to replace it, scale both down, change it (vault kv patch), and deploy.',
      ),
      {
        kind: 'supplied',
        name: 'api-key',
        description: 'API key of the Novu environment, from its dashboard under Developers',
        initially: 'placeholder',
      },
    ],
  },
  {
    path: 'notifications/mongodb',
    origin: 'ours',
    description: 'novu-mongodb: root, and the user novu',
    keys: [
      never(
        password('mongodb-root-password'),
        'MongoDB takes it on an empty volume alone: change it there (db.changeUserPassword), then here (vault kv patch). Nothing of the platform logs in with it.',
      ),
      fixed('username', 'novu'),
      // A comma separated list in the publisher's chart: one user, one password.
      {
        ...password('mongodb-passwords'),
        rotation: {
          system: 'mongodb',
          server: 'novu-mongodb',
          database: 'novu',
          username: 'username',
          admin: { path: 'notifications/mongodb', key: 'mongodb-root-password' },
        },
      },
      never(
        password('mongodb-metrics-password'),
        "nobody logs in with it: the exporter of the publisher's chart, which would, is off.",
      ),
      never(
        password('mongodb-replica-set-key'),
        'members of a replica set know each other by it; it is changed with both keys in the file of each member, one after the other.',
      ),
    ],
  },

  {
    path: 'control-plane/jwt',
    origin: 'seed',
    description: 'Signing of access tokens between control plane services',
    keys: [
      never(
        { kind: 'generated', name: 'signing-key', format: 'hex', length: 64 },
        'its services take one key and read it from Vault themselves, so tokens signed with the former one would be refused. To replace it, change it (vault kv patch) and restart tenant-management-service, temporal-worker-service and subscription-service together; tokens that are out end with it.',
      ),
      fixed('issuer', 'ananta-control-plane'),
    ],
  },
  {
    path: 'control-plane/temporal',
    origin: 'seed',
    description: "Connection to the platform's Temporal, and the key that payloads are encrypted with",
    keys: [
      fixed('address', 'temporal.temporal-system.svc:7233'),
      fixed('namespace', 'arc-saas'),
      never(
        { kind: 'generated', name: 'payload-encryption-key', format: 'base64', length: 44 },
        "histories of workflows that run are encrypted with it by the platform's own workers, which take one key; their codec has to read with both until the last of those workflows is over. (What the deployer's own engine keeps has such a ring of keys: codec rotate, codec retire.)",
      ),
    ],
  },
  {
    path: 'control-plane/webhooks',
    origin: 'seed',
    description: 'Signature of events from the control plane to the app plane',
    keys: [
      never(
        { kind: 'generated', name: 'signing-secret', format: 'hex', length: 64 },
        'who signs and who checks take one secret and read it from Vault themselves. To replace it, change it (vault kv patch) and restart webhook-bridge, tenant-management-service and subscription-service together; events that are signed with the former one by then are refused, and have to be sent again.',
      ),
    ],
  },

  {
    path: 'app-plane/cns-service',
    origin: 'seed',
    description: 'Component normalization: token of its own API, keys of the AI and of component suppliers',
    keys: [
      never(
        password('api-token'),
        'cns-service takes one token and reads it from Vault itself. To replace it, change it (vault kv patch), deploy, which restarts middleware-api, and restart cns-service with it.',
      ),
      {
        kind: 'supplied',
        name: 'ai-api-key',
        description: 'Key of the AI provider that enriches components',
        initially: 'required',
      },
      {
        kind: 'supplied',
        name: 'supplier-api-token',
        description: 'Token of the component data supplier',
        initially: 'required',
      },
    ],
  },
  {
    path: 'app-plane/directus',
    origin: 'seed',
    description: 'Directus: first administrator, its own keys, and the owner of its database',
    keys: [
      fixed('admin-email', 'admin@ananta.example'),
      never(
        password('admin-password'),
        'Directus takes it at its first start alone and keeps it in its database from then on: it is changed there, in the profile of the administrator, and then here (vault kv patch).',
      ),
      never(
        { kind: 'generated', name: 'key', format: 'uuid', length: 36 },
        'Directus knows its installation by it, and takes no second one.',
      ),
      never(
        { kind: 'generated', name: 'secret', format: 'hex', length: 64 },
        'Directus signs its tokens with it and takes no second one: replacing it (vault kv patch, then a deployment, which restarts directus) makes those that are out invalid, and people log in again.',
      ),
      fixed('db-username', 'directus'),
      rolePassword({ ...TENANTS, database: 'directus' }, { password: 'db-password', username: 'db-username' }),
    ],
  },
  {
    path: 'app-plane/supabase',
    origin: 'seed',
    description: 'Supabase: JWT secret, the tokens signed with it, and the key that Studio and postgres-meta share',
    keys: [
      never(
        { kind: 'generated', name: 'jwt-secret', format: 'alphanumeric', length: 48 },
        'anon-key and service-role-key are signed with it, and so may be tokens that others have made; PostgREST is given one secret, so all of them would be refused. To replace it, sign the two anew and change the three together (vault kv patch), deploy, which restarts supabase-api and supabase-studio, and give the new tokens to whoever has copies.',
      ),
      { kind: 'jwt', name: 'anon-key', signedWith: 'jwt-secret', claims: { role: 'anon', iss: 'supabase' } },
      {
        kind: 'jwt',
        name: 'service-role-key',
        signedWith: 'jwt-secret',
        claims: { role: 'service_role', iss: 'supabase' },
      },
      never(
        password('meta-crypto-key'),
        'Studio and postgres-meta read what the other has encrypted; they would have to be replaced in the same moment.',
      ),
    ],
  },
  {
    path: 'app-plane/django-backend',
    origin: 'ours',
    description: "Django's own SECRET_KEY",
    keys: [
      never(
        { kind: 'generated', name: 'secret-key', format: 'alphanumeric', length: 64 },
        'Django signs sessions and links with it. An image whose settings read SECRET_KEY_FALLBACKS would take the former one, too; this one is given one key: replacing it (vault kv patch, then a deployment, which restarts django-backend) ends sessions and links that are out.',
      ),
    ],
  },

  {
    path: 'messaging/rabbitmq',
    origin: 'ours',
    description: 'RabbitMQ: the user ananta, and the cookie of the cluster',
    keys: [
      fixed('username', 'ananta'),
      {
        ...password('rabbitmq-password'),
        rotation: { system: 'rabbitmq', server: 'rabbitmq', username: 'username' },
      },
      never(
        password('rabbitmq-erlang-cookie'),
        'every node of the broker has to have the same one at any time, so a new one needs all of them stopped.',
      ),
    ],
  },
  {
    path: 'gitops/argocd',
    origin: 'ours',
    description:
      'Argo CD: administrator, session signing, and its Redis. Dotted names are those of the Secret argocd-secret',
    keys: [
      never(
        password('admin-password'),
        'Argo CD keeps one hash of it, in a Secret that it reads at any time, so there is no moment in which both are good. To replace it, change admin-password, admin.password (its bcrypt hash) and admin.passwordMtime (now) together (vault kv patch), and deploy: sessions from before end.',
      ),
      { kind: 'bcrypt', name: 'admin.password', of: 'admin-password' },
      fixed('admin.passwordMtime', '2026-01-01T00:00:00Z'),
      never(
        { kind: 'generated', name: 'server.secretkey', format: 'alphanumeric', length: 44 },
        'Argo CD signs sessions with it and takes one: replacing it (vault kv patch, then a deployment, which restarts argocd) ends them all, and people log in again.',
      ),
      never(
        password('redis-password'),
        'the cache of Argo CD starts with it, together with everybody who asks it, as one release: replacing it (vault kv patch, then a deployment, which restarts argocd) empties the cache, and nothing else is lost.',
      ),
    ],
  },
];
