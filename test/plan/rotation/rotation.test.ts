/** Which secrets a rotation is about, who is restarted for them, and in which steps. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Catalog, SecretKey } from '../../../src/catalog/schema.ts';
import type { RotateSelection } from '../../../src/contract/operations/secret-name.ts';
import { isOlder } from '../../../src/plan/rotation/age.ts';
import { nextUsername } from '../../../src/plan/rotation/login.ts';
import { buildRotatePlan, type Rotating } from '../../../src/plan/rotation/plan.ts';
import { choosePossible } from '../../../src/plan/rotation/possible.ts';
import { readersOf } from '../../../src/plan/rotation/readers.ts';
import { chooseSecrets, findRotatable } from '../../../src/plan/rotation/rotatable.ts';
import { scriptOf } from '../../../src/plan/rotation/scripts/index.ts';
import { completed } from '../../../src/plan/steps/complete.ts';
import { stepRows } from '../../../src/plan/steps/text.ts';
import type { ObservedRelease } from '../../../src/plan/observed.ts';
import { planOf } from '../../support/plans.ts';
import { fakeCatalog } from '../../support/fakes/catalog.ts';
import { readConfig } from '../../../src/config.ts';
import { loadEnvironment } from '../../../src/environment/load.ts';

const sandbox = await loadEnvironment('sandbox', readConfig({}));

const ROLE: Extract<SecretKey, { kind: 'generated' }>['rotation'] = {
  system: 'postgresql',
  server: 'cache',
  database: 'apps',
  username: 'username',
  admin: { path: 'stores/cache', key: 'redis-password' },
};

function catalogWith(rotations: Record<string, typeof ROLE>): Catalog {
  const catalog = fakeCatalog();
  for (const { path, keys } of catalog.secretPaths)
    for (const key of keys) {
      const rotation = rotations[`${path} ${key.name}`];
      if (key.kind === 'generated' && rotation !== undefined) key.rotation = rotation;
    }
  return catalog;
}

const catalog = catalogWith({
  'stores/queue password': ROLE,
  'stores/sessions redis-password': { refused: 'what it has encrypted would have to be encrypted again.' },
});

describe('which secrets', () => {
  const rows: [string, RotateSelection, string[] | RegExp][] = [
    ['one by path and key', { secrets: [{ path: 'stores/queue', key: 'password' }] }, ['stores/queue password']],
    ['of a path, those that can be', { secrets: [{ path: 'stores/queue' }] }, ['stores/queue password']],
    ['all that can be', {}, ['stores/queue password']],
    [
      'named twice, once',
      { secrets: [{ path: 'stores/queue' }, { path: 'stores/queue', key: 'password' }] },
      ['stores/queue password'],
    ],
    [
      'not one that nobody has described',
      { secrets: [{ path: 'stores/queue', key: 'cookie' }] },
      /Rotation of stores\/queue cookie is not known to the catalog/,
    ],
    [
      'not one that is never replaced',
      { secrets: [{ path: 'stores/sessions', key: 'redis-password' }] },
      /never simply replaced: what it has encrypted/,
    ],
    [
      'not a path of which nothing can be',
      { secrets: [{ path: 'apps/api' }] },
      /Nothing of secret\/apps\/api can be rotated[^]*Rotation of apps\/api api-token is not known/,
    ],
    [
      'not what others issue',
      { secrets: [{ path: 'apps/api', key: 'mail-api-key' }] },
      /a third party issues it, and "secrets set" takes the new one/,
    ],
    ['not a name', { secrets: [{ path: 'stores/queue', key: 'username' }] }, /is not generated here/],
    ['no such key', { secrets: [{ path: 'stores/queue', key: 'pasword' }] }, /has no key "pasword".*password/],
    ['no such path', { secrets: [{ path: 'store/queue' }] }, /no secret path "store\/queue".*stores\/queue/],
  ];
  for (const [what, selection, expected] of rows)
    test(what, () => {
      if (expected instanceof RegExp) assert.throws(() => chooseSecrets(catalog, selection), expected);
      else
        assert.deepEqual(
          chooseSecrets(catalog, selection).rotatable.map(({ path, key }) => `${path} ${key}`),
          expected,
        );
    });

  test('what is left of all is said, each with its reason', () => {
    const { left } = chooseSecrets(catalog, {});
    assert.ok(left.some((line) => line.includes('stores/sessions redis-password is never simply replaced')));
    assert.ok(left.some((line) => line.includes('Rotation of stores/queue cookie is not known')));
  });

  const QUEUE_PASSWORD = { secrets: [{ path: 'stores/queue', key: 'password' }] };
  const own = catalogWith({ 'apps/api api-token': { ...ROLE, username: 'api-token' } });
  const fromPublisher = catalogWith({ 'stores/queue password': ROLE });
  fromPublisher.services.find(({ name }) => name === 'api')!.chart.upstream = 'api';
  const listing = { ...sandbox, secrets: { onChange: 'list' as const } };
  const upstream = { ...sandbox, charts: 'upstream' as const };
  const obstacles: [string, Catalog, typeof sandbox, RotateSelection, RegExp][] = [
    ['read from Vault itself', own, sandbox, { secrets: [{ path: 'apps/api' }] }, /is read from Vault by api/],
    ['where nobody may be restarted', catalog, listing, QUEUE_PASSWORD, /secrets\.onChange: list/],
    [
      'of a reader with the name in its values',
      fromPublisher,
      upstream,
      QUEUE_PASSWORD,
      /api runs from its publisher's/,
    ],
  ];
  for (const [what, of, environment, selection, refused] of obstacles)
    test(`not one ${what}; of all it is left, and said`, () => {
      assert.throws(() => choosePossible(of, environment, selection), refused);
      const { rotatable, left } = choosePossible(of, environment, {});
      assert.deepEqual(rotatable, []);
      assert.match(left.join('\n'), refused);
    });

  for (const [since, expected] of [
    ['2026-01-01T00:00:00Z', true],
    ['2026-01-30T00:00:00Z', false],
    [undefined, true],
  ] as const)
    test(`older than ten days on the 31st: since ${since ?? 'nobody knows when'}`, () => {
      assert.equal(isOlder(since, Date.parse('2026-01-31T00:00:00Z'), 10 * 86_400), expected);
    });
});

describe('two names take turns', () => {
  for (const [current, next] of [
    ['apps', 'apps_b'],
    ['apps_b', 'apps'],
    ['somebody-elses', 'apps'],
  ] as const)
    test(`${current}, then ${next}`, () => assert.equal(nextUsername('postgresql', 'apps', current), next));
  test('one user of Redis has two passwords', () => assert.equal(nextUsername('redis', '', ''), ''));
});

describe('the plan', () => {
  const rotating: Rotating = {
    ...findRotatable(catalog, { path: 'stores/queue', key: 'password' }),
    version: 3,
    resumes: false,
  };
  const revision = (number: number): ObservedRelease => ({ revision: number, status: 'deployed', labels: {} });
  const rotatePlanOf = (secrets: Rotating[], revisions = new Map([['apps/api', revision(2)]])) => {
    return completed(
      buildRotatePlan({ catalog, environment: sandbox, secrets, revisions, notes: [] }),
      { verb: 'rotate', secrets: secrets.map(({ path, key, rotation }) => ({ path, key, server: rotation.server })) },
      sandbox,
    );
  };

  test('adds and writes, then restarts who reads, then has the former value refused', () => {
    assert.deepEqual(
      stepRows(rotatePlanOf([rotating]).steps)
        .filter(({ id }) => !/^(notify|audit)/.test(id))
        .map(({ number, id, when }) => `${number} ${id} ${when}`.trim()),
      [
        '1 vault-open',
        '2 rotate-add/stores/queue/password after 1',
        '3 rotate-write/stores/queue/password after 2',
        '4 rotate-restart/apps/api after 3',
        '5 verify/apps/api after 4',
        '6 services after all steps of services',
        '7 rotate-verify/stores/queue/password after 6',
        '8 rotate-revoke/stores/queue/password after 7',
      ],
    );
  });

  test('nobody is restarted who is not there', () => {
    const { services } = rotatePlanOf([rotating], new Map());
    assert.deepEqual([...new Set(services.map(({ action }) => action))], ['unchanged']);
  });

  test('another version in Vault, an interrupted rotation, another revision: each is another plan', () => {
    const digests = [
      rotatePlanOf([rotating]),
      rotatePlanOf([{ ...rotating, version: 4 }]),
      rotatePlanOf([{ ...rotating, resumes: true }]),
      rotatePlanOf([rotating], new Map([['apps/api', revision(5)]])),
    ].map(({ digest }) => digest);
    assert.equal(new Set(digests).size, digests.length);
  });

  test('without a secret nothing is done', () => {
    assert.deepEqual(
      rotatePlanOf([])
        .steps.map(({ kind }) => kind)
        .filter((kind) => kind !== 'notify'),
      ['services', 'audit'],
    );
  });

  test('servers of the path are no readers, Jobs neither', () => {
    assert.deepEqual(
      readersOf(catalog, [findRotatable(catalog, { path: 'stores/queue', key: 'password' })]).map(
        ({ release, secrets }) => [release.name, secrets],
      ),
      [['api', ['vault-stores-queue']]],
    );
    const own = catalogWith({ 'stores/cache redis-password': { ...ROLE } });
    assert.deepEqual(readersOf(own, [findRotatable(own, { path: 'stores/cache', key: 'redis-password' })]), []);
  });

  test('nor is whoever reads another key of the path', () => {
    const other = catalogWith({ 'stores/queue cookie': { system: 'redis', server: 'cache' } });
    assert.deepEqual(readersOf(other, [findRotatable(other, { path: 'stores/queue', key: 'cookie' })]), []);
  });
});

describe('what is said to a server', () => {
  test('holds no value: those are read from standard input, a line each', () => {
    for (const act of ['add', 'verify', 'revoke'] as const) {
      const { command, reads } = scriptOf(ROLE, act, {
        declared: 'apps',
        former: 'apps',
        next: 'apps_b',
        admin: 'postgres',
      });
      assert.deepEqual(command.slice(-5), ['apps', 'apps', 'apps_b', 'apps', 'postgres']);
      const lines = command[2]?.split('\n').slice(0, reads.length);
      assert.deepEqual(
        lines,
        reads.map((name) => `IFS= read -r ${name}`),
      );
    }
  });
});

test('a rollback writes neither Vault nor Secrets, so no former value comes back with it', () => {
  const services = planOf({ vault: { phase: 1, action: 'rollback' }, api: { phase: 2, action: 'rollback' } });
  const { steps } = completed({ ...services, operation: 'rollback', toVersion: 1 }, { verb: 'rollback' }, sandbox);
  const kinds = new Set(steps.map(({ kind }) => kind));
  assert.ok(kinds.has('rollback'));
  for (const writes of ['vault-seed', 'secret-sync', 'rotate-add', 'rotate-write'] as const)
    assert.ok(!kinds.has(writes), writes);
});
