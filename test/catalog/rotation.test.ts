/** What the Ananta Platform says about the rotation of its secrets, and what is wrong with such data. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkRotations } from '../../src/catalog/check/rotation.ts';
import { loadCatalog } from '../../src/catalog/index.ts';
import type { Catalog, SecretKey } from '../../src/catalog/schema.ts';
import { secretUses } from '../../src/catalog/secret-uses.ts';
import { readConfig } from '../../src/config.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { choosePossible } from '../../src/plan/rotation/possible.ts';
import { chooseSecrets, secretText } from '../../src/plan/rotation/rotatable.ts';
import { fakeCatalog } from '../support/fakes/catalog.ts';

const catalog = loadCatalog();
const names = (rotatable: readonly { path: string; key: string }[]): string[] => rotatable.map(secretText).sort();

describe('the platform', () => {
  test('rotates every password by which somebody logs in to PostgreSQL, Redis, RabbitMQ, MinIO and MongoDB', () => {
    const { rotatable } = chooseSecrets(catalog, {});
    assert.deepEqual(names(rotatable), [
      'app-plane/directus db-password',
      'cache/app-plane-redis redis-password',
      'cache/control-plane-redis redis-password',
      'cache/novu-redis redis-password',
      'database/components-v2 password',
      'database/components-v2 postgres-password',
      'database/keycloak password',
      'database/postgres password',
      'database/postgres postgres-password',
      'database/supabase authenticator-password',
      'database/supabase password',
      'database/supabase postgres-password',
      'database/temporal password',
      'database/temporal postgres-password',
      'messaging/rabbitmq rabbitmq-password',
      'notifications/mongodb mongodb-passwords',
      'storage/app-plane-minio rootPassword',
      'storage/app-plane-minio secretKey',
      'storage/control-plane-minio rootPassword',
      'storage/control-plane-minio secretKey',
    ]);
    const owners = catalog.databases.map(({ password }) => secretText(password));
    for (const owner of owners) assert.ok(names(rotatable).includes(owner), owner);
  });

  test('says of keys that encrypt what replacing them would take', () => {
    const { left } = chooseSecrets(catalog, {});
    for (const name of [
      'notifications/novu store-encryption-key',
      'control-plane/temporal payload-encryption-key',
      'messaging/rabbitmq rabbitmq-erlang-cookie',
    ])
      assert.ok(
        left.some((line) => line.startsWith(`${name} is never simply replaced: `)),
        name,
      );
  });

  test('says of every other generated value why not', () => {
    // What is added beside it may leave that open.
    const read = new Set(
      catalog.services
        .filter(({ number }) => number <= 48)
        .flatMap((service) => secretUses(service).map(({ use }) => use.path)),
    );
    const secretPaths = catalog.secretPaths.filter(({ path }) => read.has(path));
    assert.ok(secretPaths.length >= 20, `${secretPaths.length} paths`);
    for (const line of chooseSecrets({ secretPaths }, {}).left)
      assert.match(line, /^\S+ \S+ is never simply replaced: .{40}/);
  });

  test("leaves what a publisher's chart names in its values", async () => {
    const sandbox = await loadEnvironment('sandbox', readConfig({}));
    assert.deepEqual(
      names(choosePossible(catalog, sandbox, {}).rotatable),
      names(chooseSecrets(catalog, {}).rotatable),
    );
    const { rotatable, left } = choosePossible(catalog, { ...sandbox, charts: 'upstream' }, {});
    const without = names(chooseSecrets(catalog, {}).rotatable).filter((name) => !names(rotatable).includes(name));
    assert.deepEqual(without, [
      'database/components-v2 postgres-password',
      'database/keycloak password',
      'database/postgres postgres-password',
      'database/supabase postgres-password',
      'database/temporal postgres-password',
      'messaging/rabbitmq rabbitmq-password',
      'notifications/mongodb mongodb-passwords',
    ]);
    assert.match(left.join('\n'), /keycloak runs from its publisher's chart/);
  });
});

describe('what is wrong', () => {
  const rows: [string, Extract<SecretKey, { kind: 'generated' }>['rotation'], string, RegExp | undefined][] = [
    ['nothing', { system: 'rabbitmq', server: 'cache', username: 'username' }, 'stores/queue password', undefined],
    [
      'no such server',
      { system: 'redis', server: 'cach' },
      'stores/cache redis-password',
      /unknown service "cach".*cache/,
    ],
    [
      'a name that is not fixed',
      { system: 'rabbitmq', server: 'cache', username: 'cookie' },
      'stores/queue password',
      /unknown fixed key "cookie"/,
    ],
    [
      'no password of an administrator',
      {
        system: 'postgresql',
        server: 'cache',
        username: 'username',
        database: 'apps',
        admin: { path: 'stores/cache', key: 'postgres-password' },
      },
      'stores/queue password',
      /there is no key "postgres-password" of secret path "stores\/cache"/,
    ],
    [
      'tokens that are signed with it',
      { system: 'redis', server: 'cache' },
      'apps/tokens jwt-secret',
      /apps\/tokens anon-key is made from it, and would keep the former value/,
    ],
  ];
  for (const [what, rotation, name, expected] of rows)
    test(what, () => {
      const broken: Catalog = fakeCatalog();
      for (const { path, keys } of broken.secretPaths)
        for (const key of keys)
          if (`${path} ${key.name}` === name && key.kind === 'generated' && rotation) key.rotation = rotation;
      const found = checkRotations(broken);
      if (expected === undefined) assert.deepEqual(found, []);
      else {
        assert.match(found[0]?.message ?? '', expected);
        assert.equal(found[0]?.field, `secretPaths.${name.replace(' ', '.')}.rotation`);
      }
    });
});
