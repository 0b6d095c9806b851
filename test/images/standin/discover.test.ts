import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check } from './check.ts';
import { discover, type Discovery } from './discover.ts';
import { profileOf } from './profiles.ts';

const PROFILE = profileOf('registry.example/webhook-bridge', []);
const found = (env: Record<string, string>, files: Record<string, string> = {}, profile = PROFILE): Discovery =>
  discover({ env, profile, self: 'webhook-bridge', readFile: (path) => files[path] });
const only = (env: Record<string, string>): Check => {
  const { checks, problems } = found(env);
  assert.deepEqual(problems, []);
  assert.equal(checks.length, 1);
  return checks[0]!;
};

test('a connection string takes the variables it was put together from', () => {
  assert.deepEqual(
    only({
      DB_USER: 'ann',
      DB_PASSWORD: 'p%w',
      DATABASE_URL: 'postgresql+asyncpg://ann:p%25w@db.data.svc:5432/things',
    }),
    {
      kind: 'postgres',
      host: 'db.data.svc',
      port: 5432,
      user: 'ann',
      password: 'p%w',
      database: 'things',
      tables: true,
      when: 'always',
      from: ['DATABASE_URL', 'DB_PASSWORD', 'DB_USER'],
    },
  );
  assert.deepEqual(only({ PASSWORD: 'x1', REDIS_URL: 'redis://default:x1@cache.data.svc/3' }), {
    kind: 'redis',
    host: 'cache.data.svc',
    port: 6379,
    user: 'default',
    password: 'x1',
    database: 3,
    when: 'always',
    from: ['PASSWORD', 'REDIS_URL'],
  });
});

test("what kubelet tells every container of the API server is nobody's connection", () => {
  assert.deepEqual(
    found({ KUBERNETES_PORT: 'tcp://10.96.0.1:443', KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443' }).problems,
    [],
  );
});

test('what could not be put together is named', () => {
  const { problems } = found({ RABBITMQ_URL: 'amqp://$(RABBITMQ_USER):$(RABBITMQ_PASSWORD)@mq.data.svc:5672/' });
  assert.deepEqual(problems, ['RABBITMQ_URL refers to a variable that was not there when it was put together']);
  assert.deepEqual(found({ REDIS_URL: 'redis://cache.data.svc:6379' }).problems, ['REDIS_URL holds no password']);
  assert.deepEqual(found({ QUEUE: 'kafka://u:p@kafka.data.svc:9092' }).problems, [
    'QUEUE is an address of a kind that is not known: kafka:',
  ]);
});

test('parts without their other parts are named', () => {
  assert.deepEqual(found({ DB_HOST: 'db.data.svc', DB_USER: 'ann' }).problems, [
    'DB_HOST is set, DB_DATABASE is not',
    'DB_HOST is set, DB_PASSWORD is not',
  ]);
  assert.deepEqual(
    found({ S3_ENDPOINT: 'http://store.data.svc:9000', S3_ACCESS_KEY: 'a', S3_SECRET_KEY: 'b', S3_REGION: 'c' })
      .problems,
    ['S3_ENDPOINT is set, and no bucket'],
  );
  assert.deepEqual(found({ TEMPORAL_ADDRESS: 'temporal.t.svc:7233' }).problems, [
    'TEMPORAL_ADDRESS is set, TEMPORAL_NAMESPACE is not',
  ]);
});

test('whatever names another service has to be understood; its own name and public addresses need not', () => {
  const { problems, checks, browser } = found({
    UPSTREAMS: 'one.a.svc,two.b.svc',
    ALLOWED_HOSTS: 'webhook-bridge.app.svc,bridge.example.org',
    PORTAL_URL: 'https://portal.example.org',
    OTHER_URL: 'http://other.app.svc:8080/base',
  });
  assert.deepEqual(problems, ['UPSTREAMS names another service, and no check understands it']);
  assert.deepEqual(browser, ['PORTAL_URL']);
  assert.deepEqual(checks, [
    {
      kind: 'http',
      host: 'other.app.svc',
      port: 8080,
      url: 'http://other.app.svc:8080/base',
      when: 'start',
      from: ['OTHER_URL'],
    },
  ]);
});

test('a password that no connection uses is named, a key of its own is checked', () => {
  assert.deepEqual(found({ MAIL_PASSWORD: 'x' }).problems, [
    'MAIL_PASSWORD is a credential, and no connection uses it',
  ]);
  assert.deepEqual(only({ JWT_SECRET: 'x' }), {
    kind: 'material',
    name: 'JWT_SECRET',
    value: 'x',
    when: 'always',
    from: ['JWT_SECRET'],
  });
  assert.deepEqual(only({ STORE_ENCRYPTION_KEY: 'x' }), {
    kind: 'material',
    name: 'STORE_ENCRYPTION_KEY',
    value: 'x',
    length: 32,
    when: 'always',
    from: ['STORE_ENCRYPTION_KEY'],
  });
});

test('a file of passwords leads to every server in it', () => {
  const read = found(
    { REDIS_PASSWORD_FILE: '/run/p.json' },
    { '/run/p.json': '{"redis://a.x.svc:6379":"one","redis://b.x.svc:6380":""}' },
  );
  assert.deepEqual(
    read.checks.map((check) => 'host' in check && `${check.host}:${check.port}`),
    ['a.x.svc:6379', 'b.x.svc:6380'],
  );
  assert.deepEqual(read.problems, ['the file that REDIS_PASSWORD_FILE names holds no password for b.x.svc']);
  assert.deepEqual(found({ REDIS_PASSWORD_FILE: '/run/p.json' }).problems, [
    'the file that REDIS_PASSWORD_FILE names holds no JSON',
  ]);
});

test('Keycloak: the address inside counts, the issuer outside is compared, a secret makes a client of it', () => {
  const inside = {
    KEYCLOAK_URL: 'http://keycloak.auth.svc:8080',
    KEYCLOAK_REALM: 'r',
    KEYCLOAK_ISSUER: 'https://auth.example.org/realms/r',
  };
  assert.deepEqual(only({ ...inside, KEYCLOAK_CLIENT_ID: 'me', KEYCLOAK_CLIENT_SECRET: 's' }), {
    kind: 'oidc',
    host: 'keycloak.auth.svc',
    port: 8080,
    base: 'http://keycloak.auth.svc:8080/realms/r',
    issuer: 'https://auth.example.org/realms/r',
    client: { id: 'me', secret: 's' },
    when: 'start',
    from: ['KEYCLOAK_CLIENT_ID', 'KEYCLOAK_CLIENT_SECRET', 'KEYCLOAK_ISSUER', 'KEYCLOAK_REALM', 'KEYCLOAK_URL'],
  });
  assert.equal(
    (
      only({ OIDC_JWKS_URL: 'http://keycloak.auth.svc:8080/realms/r/protocol/openid-connect/certs' }) as {
        base: string;
      }
    ).base,
    'http://keycloak.auth.svc:8080/realms/r',
  );
  assert.deepEqual(
    found({ KEYCLOAK_URL: 'https://auth.example.org', KEYCLOAK_REALM: 'r', KEYCLOAK_CLIENT_ID: 'page' }),
    { checks: [], problems: [], browser: ['KEYCLOAK_URL'] },
  );
});

test('call-backs and traces wait for nobody', () => {
  const { checks } = found(
    {
      SUBSCRIPTION_SERVICE_URL: 'http://subscription-service.c.svc:1',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://jaeger.m.svc:4317',
      A_URL: 'http://a.c.svc',
    },
    {},
    profileOf('x/tenant-management-service', []),
  );
  assert.deepEqual(
    checks.map(({ kind, when }) => [kind, when]),
    [
      ['http', 'late'],
      ['otlp', 'late'],
      ['http', 'start'],
    ],
  );
});

test('the program behind the image names what it cannot do without', () => {
  const { problems } = found({}, {}, profileOf('docker.io/postgrest/postgrest', []));
  assert.deepEqual(
    problems,
    ['PGRST_DB_URI', 'PGRST_DB_ANON_ROLE', 'PGRST_DB_SCHEMAS', 'PGRST_JWT_SECRET'].map(
      (name) => `${name} is not set, and the program needs it`,
    ),
  );
});
