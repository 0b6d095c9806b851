/**
 * Every path below the KV mount `secret/`, with its keys and how their values come to be. Key names are those that the
 * images and charts which read them expect.
 */
import type { SecretKey, SecretPathInput } from './schema.ts';

const password = (name: string) => ({ kind: 'generated', name, format: 'alphanumeric', length: 32 }) as const;
const redisPassword = (server: string): SecretKey => ({
  ...password('redis-password'),
  rotation: { system: 'redis', server },
});
const never = (key: Extract<SecretKey, { kind: 'generated' }>, refused: string): SecretKey => ({
  ...key,
  rotation: { refused },
});
const fixed = (name: string, value: string): SecretKey => ({ kind: 'fixed', name, value });

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
    admin: { path: at, key: 'postgres-password' },
  },
});
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
  keys: [password('postgres-password'), fixed('username', owner), rolePassword({ server, path, database })],
});

/** An object store: its root user, and the user that applications work with. */
const minio = (path: string, user: string): SecretPathInput => ({
  path,
  origin: 'seed',
  description: `${user}: root user, and the application user that the bucket Job makes`,
  keys: [fixed('rootUser', `${user}-root`), password('rootPassword'), fixed('accessKey', user), password('secretKey')],
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
      password('postgres-password'),
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
      password('admin-password'),
      password('tenant-management-service-client-secret'),
    ],
  },

  minio('storage/control-plane-minio', 'control-plane-minio'),
  minio('storage/app-plane-minio', 'app-plane-minio'),

  {
    path: 'notifications/novu',
    origin: 'seed',
    description: 'Novu: token signing, encryption at rest, and the API key of its consumers',
    keys: [
      { kind: 'generated', name: 'jwt-secret', format: 'hex', length: 64 },
      // Novu accepts exactly 32 characters here.
      never(
        { kind: 'generated', name: 'store-encryption-key', format: 'alphanumeric', length: 32 },
        "Novu has encrypted its integrations' credentials with it; each would have to be entered again with a new key.",
      ),
      { kind: 'generated', name: 'novu-secret-key', format: 'hex', length: 64 },
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
      password('mongodb-root-password'),
      fixed('username', 'novu'),
      // A comma separated list in the publisher's chart: one user, one password.
      password('mongodb-passwords'),
      password('mongodb-metrics-password'),
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
      { kind: 'generated', name: 'signing-key', format: 'hex', length: 64 },
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
        'histories of workflows that run are encrypted with it; a codec that reads with several keys has to know both until the last of them is over.',
      ),
    ],
  },
  {
    path: 'control-plane/webhooks',
    origin: 'seed',
    description: 'Signature of events from the control plane to the app plane',
    keys: [{ kind: 'generated', name: 'signing-secret', format: 'hex', length: 64 }],
  },

  {
    path: 'app-plane/cns-service',
    origin: 'seed',
    description: 'Component normalization: token of its own API, keys of the AI and of component suppliers',
    keys: [
      password('api-token'),
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
      password('admin-password'),
      { kind: 'generated', name: 'key', format: 'uuid', length: 36 },
      { kind: 'generated', name: 'secret', format: 'hex', length: 64 },
      fixed('db-username', 'directus'),
      rolePassword({ ...TENANTS, database: 'directus' }, { password: 'db-password', username: 'db-username' }),
    ],
  },
  {
    path: 'app-plane/supabase',
    origin: 'seed',
    description: 'Supabase: JWT secret, the tokens signed with it, and the key that Studio and postgres-meta share',
    keys: [
      { kind: 'generated', name: 'jwt-secret', format: 'alphanumeric', length: 48 },
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
    keys: [{ kind: 'generated', name: 'secret-key', format: 'alphanumeric', length: 64 }],
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
      password('admin-password'),
      { kind: 'bcrypt', name: 'admin.password', of: 'admin-password' },
      fixed('admin.passwordMtime', '2026-01-01T00:00:00Z'),
      { kind: 'generated', name: 'server.secretkey', format: 'alphanumeric', length: 44 },
      password('redis-password'),
    ],
  },
];
