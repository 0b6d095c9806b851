/** What may be promoted: the very images, charts and migrations of a version, and what stands against them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PlatformVersion, VersionedRelease } from '../../../src/contract/version.ts';
import { pinnedImages } from '../../../src/plan/promotion/images.ts';
import { type CheckoutRelease, judgePromotion, type PromotionInput } from '../../../src/plan/promotion/judge.ts';
import { judgeMigrations } from '../../../src/plan/promotion/migrations.ts';
import { allReleases } from '../../../src/plan/releases.ts';
import { miniCatalog } from '../../support/mini.ts';
import { sampleRelease, sampleVersion } from '../../support/versions.ts';

const catalog = await miniCatalog();
const DIGEST = `sha256:${'a'.repeat(64)}`;
const migration = (id: string, noReturn?: string) => ({ id, ...(noReturn === undefined ? {} : { noReturn }) });

const release = (name: string, more: Partial<VersionedRelease> = {}): VersionedRelease =>
  sampleRelease(name, {
    namespace: 'apps',
    revision: 3,
    digest: `digest-${name}`,
    chart: { name: 'service', version: '1.0.0', content: 'chart' },
    ...(name === 'schema' ? { migrations: [migration('V1__a.sql'), migration('V2__b.sql')] } : {}),
    ...more,
  });
const names = allReleases(catalog)
  .filter(({ kind }) => kind === 'release')
  .map(({ name }) => name);
const version = (releases: VersionedRelease[] = names.map((name) => release(name))): PlatformVersion =>
  sampleVersion(12, { environment: 'staging', releases });
const here = (name: string, more: Partial<CheckoutRelease> = {}): CheckoutRelease => ({
  asSource: `digest-${name}`,
  content: 'chart',
  isHere: true,
  migrations: name === 'schema' ? [migration('V1__a.sql'), migration('V2__b.sql')] : [],
  ...more,
});
const promotion = (
  more: Partial<PromotionInput> = {},
  changed: Record<string, Partial<CheckoutRelease>> = {},
): PromotionInput => ({
  catalog,
  target: 'prod',
  version: version(),
  checkout: new Map(names.map((name) => [name, here(name, changed[name])])),
  applied: new Map(),
  pastNoReturn: false,
  ...more,
});

describe('images', () => {
  const pinned = (name: string, image: string, digest?: string): string | undefined =>
    pinnedImages(catalog, [release(name, { images: [{ image, ...(digest === undefined ? {} : { digest }) }] })])[name];
  const cases: [string, string | undefined, string | undefined][] = [
    ['by the digest that a node has reported', pinned('api', 'registry.example/p/api:2.0.0', DIGEST), DIGEST],
    ['by the tag where no node has', pinned('api', 'registry.example/p/api:2.0.0'), '2.0.0'],
    ['by the digest that the version names itself', pinned('api', `registry.example:5000/p/api@${DIGEST}`), DIGEST],
    ['under whatever prefix', pinned('api', 'other.example:5000/api:3'), '3'],
    ['not of another image', pinned('api', 'registry.example/p/my-api:2.0.0'), undefined],
    ['public ones by their whole name', pinned('database', 'docker.io/library/postgres:16.12'), '16.12'],
    ['not what a chart brings by itself', pinned('database', 'docker.io/other/postgres:16.12'), undefined],
  ];
  for (const [name, is, wanted] of cases) test(name, () => assert.equal(is, wanted));
});

describe('migrations', () => {
  const judge = (wanted: string[], applied: ReturnType<typeof migration>[]) =>
    judgeMigrations({ release: 'schema', wanted: wanted.map((id) => migration(id)), applied });
  test('new ones after the last that has run are named', () => {
    const { refused, crossed, notes } = judge(
      ['V1.sql', 'V2.sql', 'V10.sql'],
      [migration('V1.sql'), migration('V2.sql')],
    );
    assert.deepEqual([refused, crossed], [[], []]);
    assert.deepEqual(notes, ['schema runs V10.sql.']);
  });
  test('one that comes before what has run is refused, numbers being numbers', () => {
    const { refused } = judge(['V1.sql', 'V9.sql', 'V10.sql'], [migration('V1.sql'), migration('V10.sql')]);
    assert.deepEqual(refused, [
      'schema: V9.sql comes before V10.sql, which the target has run already: out of order it would not run',
    ]);
  });
  test('one that is gone is told, and crossed only when told to where it cannot be taken back', () => {
    const { refused, crossed, notes } = judge(
      ['V1.sql'],
      [migration('V1.sql'), migration('V2.sql'), migration('V3.sql', 'drops a table')],
    );
    assert.deepEqual(refused, []);
    assert.deepEqual(crossed, ['V3.sql (schema): drops a table']);
    assert.deepEqual(notes, ['The target has run V2.sql, V3.sql of schema, which the version does not hold.']);
  });
  test('a point of no return that would be passed is told', () => {
    const { notes } = judgeMigrations({
      release: 'schema',
      wanted: [migration('V1.sql', 'drops a table')],
      applied: [],
    });
    assert.match(
      notes.join('\n'),
      /V1\.sql \(schema\) cannot be taken back: drops a table\. No rollback leads behind it/,
    );
  });
});

describe('a promotion', () => {
  test('of what the checkout holds is open, whatever the values of the two environments', () => {
    const changed = Object.fromEntries(names.map((name) => [name, { asSource: 'other values by now' }]));
    assert.deepEqual(judgePromotion(promotion({}, changed)), ['schema runs V1__a.sql, V2__b.sql.']);
  });

  const refusals: [string, PromotionInput, RegExp, remedy?: string][] = [
    [
      'another chart',
      promotion({}, { api: { content: 'edited' } }),
      /api: its chart differs \(edited here, chart in the version, service 1\.0\.0\)/,
    ],
    [
      'a chart that is not locked',
      promotion({}, { database: { content: undefined } }),
      /database: its chart is not in the lock of charts/,
    ],
    [
      'a chart that is not in the cache',
      promotion({}, { database: { isHere: false } }),
      /database: its chart service 1\.0\.0 is not in the cache/,
    ],
    [
      'other migrations in the checkout',
      promotion({}, { schema: { migrations: [migration('V1__a.sql')] } }),
      /schema: its migrations differ \(V1__a\.sql here, V1__a\.sql, V2__b\.sql in the version\)/,
    ],
    [
      'a service that the version does not hold',
      promotion({ version: version(names.filter((name) => name !== 'web').map((name) => release(name))) }),
      /web: is in this checkout, and not in the version/,
    ],
    [
      'a service that the checkout does not hold',
      promotion({ version: version([...names.map((name) => release(name)), release('old')]) }),
      /old: is in the version, and not in this checkout/,
    ],
    [
      'a migration that would come too late',
      promotion({ applied: new Map([['schema', [migration('V1__a.sql'), migration('V3__c.sql')]]]) }),
      /cannot run in "prod":\n {2}schema: V2__b\.sql comes before V3__c\.sql/,
      'order',
    ],
  ];
  for (const [name, input, message, remedy = 'checkout'] of refusals)
    test(`is refused for ${name}`, () =>
      assert.throws(() => judgePromotion(input), { type: 'VersionUnknown', exitCode: 3, remedy, message }));

  test('of a version that does not say what its charts were made from needs the whole to be the same', () => {
    const old = version(names.map((name) => release(name, { chart: { name: 'service', version: '1.0.0' } })));
    assert.deepEqual(judgePromotion(promotion({ version: old })), ['schema runs V1__a.sql, V2__b.sql.']);
    assert.throws(() => judgePromotion(promotion({ version: old }, { api: { asSource: 'other' } })), {
      message: /api: chart, values or image differ \(other here, digest-api in the version\)/,
    });
  });

  test('over a point of no return is refused, and made when told to', () => {
    const applied = new Map([
      ['schema', [migration('V1__a.sql'), migration('V2__b.sql'), migration('V3__c.sql', 'drops a table')]],
    ]);
    assert.throws(() => judgePromotion(promotion({ applied })), {
      type: 'PointOfNoReturn',
      remedy: 'crossing',
      exitCode: 3,
      message: /"prod" has run migrations .*V3__c\.sql \(schema\): drops a table/,
    });
    assert.ok(
      judgePromotion(promotion({ applied, pastNoReturn: true })).includes(
        'Crosses V3__c.sql (schema): drops a table, which cannot be taken back.',
      ),
    );
  });
});
