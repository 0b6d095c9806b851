import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PlatformVersion, VersionedRelease } from '../../../src/contract/version.ts';
import { dispensable, type KeptRevision, revisionOf } from '../../../src/plan/versions/history-kept.ts';
import { dataOfManifest, imagesOfManifest } from '../../../src/plan/images/of-manifest.ts';
import { crossings, migrationsOf } from '../../../src/plan/versions/migrations.ts';
import { changesBetween, defaultTarget, describeChange, originOf } from '../../../src/plan/versions/versions.ts';
import { sampleRelease, sampleVersion } from '../../support/versions.ts';

function release(name: string, digest: string, more: Partial<VersionedRelease> = {}): VersionedRelease {
  return sampleRelease(name, {
    digest,
    chart: { name: 'service', version: '1.0.0', digest: 'c' },
    images: [{ image: `registry/${name}:${digest}` }],
    ...more,
  });
}

function version(number: number, releases: VersionedRelease[], more: Partial<PlatformVersion> = {}): PlatformVersion {
  return sampleVersion(number, { environment: 'test', releases, ...more });
}

const inCluster = (digests: Record<string, string | undefined>): Map<string, string | undefined> =>
  new Map(Object.entries(digests).map(([name, digest]) => [`ns/${name}`, digest]));

describe('versions', () => {
  test('what changed: by content, not by revision', () => {
    const before = [release('a', '1'), release('b', '1'), release('gone', '1')];
    const after = [release('a', '1', { revision: 7 }), release('b', '2'), release('new', '1')];
    assert.deepEqual(
      changesBetween(before, after).map(({ release: name, kind, what }) => [name, kind, what]),
      [
        ['b', 'changed', 'image b:1 → b:2'],
        ['new', 'added', 'new:1'],
        ['gone', 'removed', 'gone:1'],
      ],
    );
    assert.deepEqual(changesBetween(after, after), []);
  });

  test('a change in words names chart, image and migrations, and is "values" otherwise', () => {
    const same = { images: [{ image: 'x/app:1' }] };
    assert.equal(describeChange(release('a', '1', same), release('a', '2', same)), 'values');
    assert.equal(
      describeChange(
        release('a', '1', same),
        release('a', '2', { ...same, chart: { name: 'service', version: '1.1.0' } }),
      ),
      'chart service 1.0.0 → 1.1.0',
    );
    assert.equal(
      describeChange(
        release('a', '1', same),
        release('a', '2', { ...same, chart: { name: 'service', version: '1.0.0', digest: 'other' } }),
      ),
      'chart service edited',
    );
    assert.equal(
      describeChange(
        release('a', '1', { ...same, migrations: [{ id: 'V1.sql' }] }),
        release('a', '2', { ...same, migrations: [{ id: 'V1.sql' }, { id: 'V2.sql' }] }),
      ),
      'migrations added: V2.sql',
    );
  });

  describe('where a rollback leads that names no version', () => {
    const versions = [
      version(1, [release('a', '1'), release('b', '1')]),
      version(2, [release('a', '2'), release('b', '2')]),
      version(3, [release('a', '3'), release('b', '3')]),
    ];
    const target = (digests: Record<string, string | undefined>, all = versions): number | undefined =>
      defaultTarget(all, inCluster(digests))?.version;

    test('to the one before the current', () => assert.equal(target({ a: '3', b: '3' }), 2));
    test('to the newest, when a failed deployment left something else', () =>
      assert.equal(target({ a: '4', b: '3' }), 3));
    test('to the newest, when a release is half done', () => assert.equal(target({ a: undefined, b: '3' }), 3));
    test('to the newest, when something was added that it does not have', () =>
      assert.equal(target({ a: '3', b: '3', c: '1' }), 3));
    test('on to where an interrupted rollback was going', () => assert.equal(target({ a: '2', b: '3' }), 2));
    test('on, also when it was interrupted in the middle of a release', () =>
      assert.equal(target({ a: '2', b: undefined }), 2));
    test('further back after a rollback, not forward again', () => {
      const after = [
        ...versions,
        version(4, [release('a', '2'), release('b', '2')], { operation: 'rollback', restores: 2 }),
      ];
      assert.equal(originOf(after, after[3]!), 2);
      assert.equal(target({ a: '2', b: '2' }, after), 1);
      const twice = [
        ...after,
        version(5, [release('a', '2'), release('b', '2')], { operation: 'rollback', restores: 4 }),
      ];
      assert.equal(target({ a: '2', b: '2' }, twice), 1);
    });
    test('nowhere from the first, and nowhere without any', () => {
      assert.equal(target({ a: '1', b: '1' }, versions.slice(0, 1)), undefined);
      assert.equal(target({ a: '1' }, []), undefined);
    });
  });
});

describe("Helm's revisions", () => {
  const revision = (
    number: number,
    digest: string | undefined,
    status: KeptRevision['status'] = 'superseded',
  ): KeptRevision => ({ revision: number, digest, status });
  const gone = (revisions: KeptRevision[], ...digests: string[]): number[] =>
    dispensable(revisions, new Set(digests)).map((found) => found.revision);

  test('only the newest revision of a needed digest stays', () => {
    assert.deepEqual(
      gone(
        [revision(1, 'a'), revision(2, 'b'), revision(3, 'a'), revision(4, 'b'), revision(5, 'c', 'deployed')],
        'a',
        'b',
        'c',
      ),
      [1, 2],
    );
  });
  test('what no version needs goes, however many repairs there were', () => {
    const repairs = Array.from({ length: 30 }, (_, index) => revision(index + 2, 'b'));
    assert.deepEqual(
      gone([revision(1, 'a'), ...repairs, revision(40, 'b', 'deployed')], 'a', 'b'),
      repairs.map((each) => each.revision),
    );
  });
  test('never the newest, never a deployed one, never one that is at work', () => {
    assert.deepEqual(
      gone([
        revision(1, 'a', 'deployed'),
        revision(2, 'b', 'failed'),
        revision(3, 'c', 'pending-upgrade'),
        revision(4, 'd', 'failed'),
      ]),
      [2],
    );
    assert.deepEqual(gone([revision(1, 'a')]), []);
  });
  test('a failed revision brings nothing back', () => {
    assert.equal(revisionOf([revision(1, 'a'), revision(2, 'a', 'failed')], 'a')?.revision, 1);
    assert.equal(revisionOf([revision(2, 'a', 'failed')], 'a'), undefined);
    assert.deepEqual(gone([revision(1, 'a'), revision(2, 'a', 'failed'), revision(3, 'b', 'deployed')], 'a'), [2]);
  });
});

describe('migrations', () => {
  const values = (files: Record<string, string>): Record<string, unknown> => ({ files: { sql: files } });

  test('in the order in which they run, with the mark from the head of the file', () => {
    assert.deepEqual(
      migrationsOf(
        values({
          'V10__late.sql': 'DROP TABLE a;',
          'V2__drop.sql':
            '-- Drops the legacy tables.\n--\n-- point-of-no-return: the legacy tables are dropped\n\nDROP TABLE legacy;',
          'V1__first.sql': 'CREATE TABLE a;',
        }),
      ),
      [
        { id: 'V1__first.sql' },
        { id: 'V2__drop.sql', noReturn: 'the legacy tables are dropped' },
        { id: 'V10__late.sql' },
      ],
    );
  });
  for (const [text, reason] of [
    ['/* point-of-no-return: gone */\nSELECT 1;', 'gone'],
    ['/*\n  Some words.\n  Point-of-no-return: gone\n*/\nSELECT 1;', 'gone'],
    ['--point-of-no-return drops a column\nSELECT 1;', 'drops a column'],
    ['-- point-of-no-return\nSELECT 1;', 'no reason is given in the file'],
  ] as const) {
    test(`a mark is not overlooked for its spelling: ${JSON.stringify(text.slice(0, 30))}`, () =>
      assert.equal(migrationsOf(values({ 'V1.sql': text }))[0]?.noReturn, reason));
  }
  test('only in the head, and only in a comment', () => {
    assert.equal(
      migrationsOf(values({ 'V1.sql': 'SELECT 1;\n-- point-of-no-return: too late' }))[0]?.noReturn,
      undefined,
    );
    assert.equal(
      migrationsOf(values({ 'V1.sql': "INSERT INTO t VALUES ('point-of-no-return: x');" }))[0]?.noReturn,
      undefined,
    );
  });
  test('none where a release carries none', () => assert.deepEqual(migrationsOf({}), []));

  test('crossed are those that may have run, are not in the target and are marked', () => {
    const catalog = { migrations: [{ service: 'db', database: 'x/y', location: 'migrations/db' }] };
    const now = [{ id: 'V1.sql', noReturn: 'old' }, { id: 'V2.sql' }, { id: 'V3.sql', noReturn: 'drops' }];
    assert.deepEqual(crossings(catalog, 'db', now, [{ id: 'V1.sql', noReturn: 'old' }]), [
      { release: 'db', file: 'helm/migrations/db/V3.sql', reason: 'drops' },
    ]);
    assert.deepEqual(crossings(catalog, 'db', now, now), []);
  });
});

describe('manifests', () => {
  test('images of workloads alone, each once', () => {
    const manifest = [
      'kind: Deployment',
      'spec:',
      '  containers:',
      '  - image: "b/app:1"',
      '    name: x',
      '  - name: y',
      '    image: a/side@sha256:0 # pinned',
      '---',
      'kind: CustomResourceDefinition',
      'spec:',
      '  image: not/this:1',
      '---',
      'kind: Job',
      'spec:',
      "  image: 'b/app:1'",
    ].join('\n');
    assert.deepEqual(imagesOfManifest(manifest), ['a/side@sha256:0', 'b/app:1']);
  });
  test('what holds data is told from what does not', () => {
    assert.match(dataOfManifest('kind: StatefulSet\nspec:\n  volumeClaimTemplates:\n  - x') ?? '', /volume/);
    assert.match(dataOfManifest('kind: PersistentVolumeClaim') ?? '', /volume/);
    assert.match(dataOfManifest('kind: CustomResourceDefinition') ?? '', /CustomResourceDefinition/);
    assert.equal(dataOfManifest('kind: Deployment\nspec: {}'), undefined);
  });
});
