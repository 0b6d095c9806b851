/** How programs name what they connect to: one line per convention, the variables of one connection side by side. */

/** PostgreSQL in parts. */
export const POSTGRES = [
  {
    host: 'DB_HOST',
    port: 'DB_PORT',
    database: 'DB_DATABASE',
    user: 'DB_USER',
    password: 'DB_PASSWORD',
    schema: 'DB_SCHEMA',
  },
  {
    host: 'PG_META_DB_HOST',
    port: 'PG_META_DB_PORT',
    database: 'PG_META_DB_NAME',
    user: 'PG_META_DB_USER',
    password: 'PG_META_DB_PASSWORD',
  },
  {
    host: 'POSTGRES_HOST',
    port: 'POSTGRES_PORT',
    database: 'POSTGRES_DB',
    user: 'POSTGRES_USER_READ_WRITE',
    password: 'POSTGRES_PASSWORD',
  },
] as const;

/** Redis in parts; without a port the host holds it. */
export const REDIS = [
  { host: 'REDIS_HOST', port: 'REDIS_PORT', password: 'REDIS_PASSWORD', database: 'REDIS_DB_INDEX' },
  { host: 'REDIS_CACHE_SERVICE_HOST', port: 'REDIS_CACHE_SERVICE_PORT', password: 'REDIS_CACHE_PASSWORD' },
  { host: 'REDIS_SERVER', password: 'REDIS_PASSWORD' },
] as const;

/** RabbitMQ's stream protocol; the user is that of AMQP. */
export const STREAM = {
  host: 'RABBITMQ_STREAM_HOST',
  port: 'RABBITMQ_STREAM_PORT',
  user: 'RABBITMQ_USER',
  password: 'RABBITMQ_PASSWORD',
  stream: 'RABBITMQ_STREAM',
} as const;

/** S3: whichever of the names is set. A service has one store. */
export const S3 = {
  endpoint: ['S3_ENDPOINT', 'S3_LOCAL_STACK', 'AWS_S3_ENDPOINT_URL', 'STORAGE_S3_ENDPOINT'],
  region: ['S3_REGION', 'AWS_S3_REGION_NAME', 'STORAGE_S3_REGION'],
  accessKey: ['S3_ACCESS_KEY', 'AWS_ACCESS_KEY_ID', 'STORAGE_S3_KEY'],
  secretKey: ['S3_SECRET_KEY', 'AWS_SECRET_ACCESS_KEY', 'STORAGE_S3_SECRET'],
  bucket: /(^|_)BUCKET(_|$)/,
} as const;

export const TEMPORAL = { address: 'TEMPORAL_ADDRESS', namespace: 'TEMPORAL_NAMESPACE' } as const;
export const VAULT = { address: 'VAULT_ADDR', role: 'VAULT_ROLE', paths: 'VAULT_PATHS' } as const;

/** The realm's address inside the cluster, its issuer outside, and the client with its secret. */
export const OIDC = {
  server: ['KEYCLOAK_INTERNAL_URL', 'KEYCLOAK_URL'],
  realm: 'KEYCLOAK_REALM',
  keys: 'OIDC_JWKS_URL',
  issuer: ['KEYCLOAK_ISSUER', 'OIDC_ISSUER'],
  client: 'KEYCLOAK_CLIENT_ID',
  secret: 'KEYCLOAK_CLIENT_SECRET',
} as const;

export const OTLP = 'OTEL_EXPORTER_OTLP_ENDPOINT';
/** A JSON file: address of a Redis → its password. */
export const REDIS_PASSWORDS = 'REDIS_PASSWORD_FILE';
/** `host:port` of a gRPC server. */
export const GRPC = /_REPO_SERVER$/;

/** Names of variables whose values are credentials. */
export const CREDENTIAL = /(^|_)(PASSWORD|PASS|SECRET|TOKEN|KEY|CREDENTIALS?|USERNAME)(_|$)/;
/** Those that are the program's own, not part of a login. */
export const MATERIAL = /(^|_)(SECRET|TOKEN|KEY)$/;
/** Length that the reader requires. */
export const MATERIAL_LENGTH: Record<string, number> = { STORE_ENCRYPTION_KEY: 32 };
/** Tokens of Supabase, and where the secret that signed them is, if the program has it. */
export const SIGNED = {
  tokens: ['SUPABASE_ANON_KEY', 'SUPABASE_SERVICE_KEY'],
  with: ['AUTH_JWT_SECRET', 'SUPABASE_JWT_SECRET'],
} as const;

/** Set by kubelet, by the container runtime, or by the stand-in's own image. */
export const FOREIGN = /^(KUBERNETES_|STANDIN_|NODE_OPTIONS$|PATH$|HOSTNAME$|HOME$|TERM$|PWD$|SHLVL$|_$)/;
