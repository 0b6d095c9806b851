import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  fingerprintWith,
  isSensitiveName,
  withoutNamedSecrets,
  withoutSecretForms,
} from '../../../src/plan/diff/sensitive.ts';

const hide = (): string => '***';

describe('names that sound secret', () => {
  const SECRET = [
    ...['DB_PASS', 'REDIS_PWD', 'JWT', 'JWT_SIGNING', 'AUTH_HEADER', 'POSTGRES_DSN', 'SENTRY_DSN', 'Authorization'],
    ...['dbPassword', 'redisPwd', 'PASSWD', 'API_KEY', 'apiKey', 'aws-secret-access-key', 'ACCESS_KEY', 'masterKey'],
    ...['GITHUB_TOKEN', 'client_secret', 'credentials', 'passphrase', 'BASIC_AUTH', 'connectionString', 'SESSION_KEY'],
    ...['rabbitmq-erlang-cookie', 'encryption-key', 'private.key', 'AccountKey', 'PGPASSWORD', 'MYSQL_PWD'],
  ];
  for (const name of SECRET) test(name, () => assert.equal(isSensitiveName(name), true));
  const PLAIN = [
    ...[
      'AUTHOR',
      'COMPASS_URL',
      'BYPASS',
      'ssl-passthrough',
      'authorization-mode',
      'rbac.authorization.k8s.io',
      'KEYCLOAK',
    ],
    ...[
      'monkey',
      'key',
      'keys',
      'nginx.ingress.kubernetes.io/session-cookie-name',
      'DATABASE_HOST',
      'PASSENGER_POOL',
      'image',
    ],
  ];
  for (const name of PLAIN) test(`not ${name}`, () => assert.equal(isSensitiveName(name), false));
});

describe('what looks like a secret, whatever stands before it', () => {
  const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';
  const PEM = '-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJ\n-----END RSA PRIVATE KEY-----';
  const CASES: [what: string, text: string, told: string][] = [
    ['an address', 'dial postgres://app:s3cret@db:5432/a failed', 'dial postgres://app:***@db:5432/a failed'],
    ['an address without a user', 'redis://:s3cret@cache:6379', 'redis://:***@cache:6379'],
    ['an at-sign in a password', 'amqp://u:p@ss@mq:5672', 'amqp://u:***@mq:5672'],
    ['a bearer token', 'curl -H "Authorization: Bearer abcdef0123456789"', 'curl -H "Authorization: Bearer ***"'],
    ['basic authentication', 'authorization: Basic dXNlcjpwYXNz', 'authorization: Basic ***'],
    ['a web token', `got ${TOKEN}.`, 'got ***.'],
    ["Vault's token", 'token hvs.CAESIJ0123456789abcdef used', 'token *** used'],
    ['a private key', `a ${PEM} b`, 'a *** b'],
    ['a private key that was cut off', `a ${PEM.slice(0, 40)}`, 'a ***'],
    ['a private key in JSON ends with its string', JSON.stringify({ a: PEM.slice(0, 40), b: 1 }), '{"a":"***","b":1}'],
    ['a registry with a port is none', 'oci://registry:5000/app@sha256:0123', 'oci://registry:5000/app@sha256:0123'],
    ['an address with a port is none', 'http://host:8080/a?b=c', 'http://host:8080/a?b=c'],
    ['a message of ours is none', 'secret/a/b, key api-token: a number', 'secret/a/b, key api-token: a number'],
  ];
  for (const [what, text, told] of CASES) test(what, () => assert.equal(withoutSecretForms(text, hide), told));
});

describe('values behind a name that sounds secret', () => {
  const CASES: [text: string, told: string][] = [
    ['DB_PASS=hunter2 DB_HOST=db', 'DB_PASS=*** DB_HOST=db'],
    ['connecting with {"redisPwd": "hunter2", "port": 6379}', 'connecting with {"redisPwd": ***, "port": 6379}'],
    ["api_key: 'hunter2'", 'api_key: ***'],
    ['host=db user=app password=hunter2 sslmode=off', 'host=db user=app password=*** sslmode=off'],
    ['POSTGRES_DSN=postgres://app:hunter2@db/a', 'POSTGRES_DSN=***'],
    ['Authorization: Bearer abcdef0123456789', 'Authorization: Bearer ***'],
    ['JWT=abc; level=info', 'JWT=***; level=info'],
    ['level=info msg=started', 'level=info msg=started'],
  ];
  for (const [text, told] of CASES) test(text, () => assert.equal(withoutNamedSecrets(text, hide), told));
});

test('fingerprints: the same for the same value and key, another for another of either, nothing without a key', () => {
  const [a, b] = ['a', 'b'].map(fingerprintWith);
  assert.equal(a!('x'), a!('x'));
  assert.notEqual(a!('x'), a!('y'));
  assert.notEqual(a!('x'), b!('x'));
  assert.equal(fingerprintWith(undefined)('x'), '(hidden)');
});
