import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseVersion } from '../../../src/cli/shared/arguments.ts';
import { historyLines, versionLines } from '../../../src/cli/render/history.ts';
import { previewLines } from '../../../src/cli/render/rollback-preview.ts';
import { diffLines } from '../../../src/cli/render/version-diff.ts';
import { afterRollback, afterwards, versionLine } from '../../../src/cli/render/versions-summary.ts';
import { requireConfirmation } from '../../../src/cli/rollback/run.ts';
import { plainStyle as style } from '../../../src/cli/shared/terminal.ts';
import type { PlatformVersion, VersionedRelease } from '../../../src/contract/version.ts';
import { diffReleases } from '../../../src/plan/versions/diff.ts';
import { sampleRelease, sampleVersion } from '../../support/versions.ts';
import { ALL_GOOD, outcome, PLAN, result } from '../sample.ts';

function release(name: string, digest: string, more: Partial<VersionedRelease> = {}): VersionedRelease {
  return sampleRelease(name, { digest, images: [{ image: `registry/${name}:${digest}` }], ...more });
}
function version(number: number, releases: VersionedRelease[], more: Partial<PlatformVersion> = {}): PlatformVersion {
  return sampleVersion(number, {
    environment: 'staging',
    at: `2026-01-0${number}T12:00:00.123Z`,
    requestedBy: 'ann@host',
    planDigest: 'p1',
    workflowId: 'deploy/staging/u',
    seconds: 61,
    services: [{ name: 'app', phase: 1, state: 'healthy', seconds: 4.2, changed: true }],
    releases,
    ...more,
  });
}
const VERSIONS = [
  version(3, [release('app', '1'), release('db', '1')], { operation: 'rollback', restores: 1, seconds: 5 }),
  version(2, [release('app', '2'), release('db', '1')]),
  version(1, [
    release('app', '1'),
    release('db', '1', { migrations: [{ id: 'V1__a.sql' }, { id: 'V2__b.sql', noReturn: 'drops a' }] }),
  ]),
];

describe('history', () => {
  test('a table, the newest first, with what changed', () => {
    assert.equal(
      historyLines('staging', VERSIONS, { keep: 30, columns: 120, style }).join('\n'),
      `\
Version  When                     Who       Operation  Took   What changed
3        2026-01-03 12:00:00 UTC  ann@host  rollback   5.0 s  back to 1: app: image app:2 → app:1
2        2026-01-02 12:00:00 UTC  ann@host  deploy     61 s   app: image app:1 → app:2
1        2026-01-01 12:00:00 UTC  ann@host  deploy     61 s   2 releases, the first

3 versions of staging; 30 are kept.
Next: npm run ananta -- diff 2 3 --env staging   (field by field)
Next: npm run ananta -- rollback --env staging --to 2   (brings it back)`,
    );
  });

  test('an environment without any says how one is made', () => {
    assert.match(
      historyLines('staging', [], { keep: 30, columns: 80, style }).join('\n'),
      /no version of staging yet[^]*ananta -- deploy --env staging/,
    );
  });

  test('one version with everything that is known of it', () => {
    const acts = [{ act: 'skip', by: 'ops@host', at: '2026-01-01T11:59:00.123Z', on: 'web', reason: 'not today' }];
    const text = versionLines({ ...VERSIONS[2]!, acts }, VERSIONS, style).join('\n');
    assert.match(text, /What people decided:\n {2}2026-01-01 11:59:00 UTC {2}ops@host skipped web: not today\n/);
    assert.match(text, /made by\s+a deployment, 61 s/);
    assert.match(text, /ns\/app\s+1\s+1\s+service 1\.0\.0\s+4\.2 s\s+registry\/app:1/);
    assert.match(text, /V2__b\.sql {3}point of no return: drops a/);
  });
});

describe('diff', () => {
  const manifest = (replicas: number, password: string): string =>
    [
      'apiVersion: apps/v1',
      'kind: Deployment',
      'metadata: {name: app}',
      'spec:',
      `  replicas: ${replicas}`,
      '  template: {spec: {containers: [{name: main, env: [{name: DB_PASSWORD, value: ' + password + '}]}]}}',
      '---',
      'apiVersion: batch/v1',
      'kind: Job',
      `metadata: {name: app-0123456${replicas}}`,
      'spec: {backoffLimit: 1}',
    ].join('\n');
  const releases = diffReleases([release('app', '1')], [release('app', '2')], {
    before: new Map([['ns/app', manifest(1, 'hunter-two')]]),
    after: new Map([['ns/app', manifest(2, 'hunter-three')]]),
  });

  test('field by field, without secrets; a Job under a new name is the same thing', () => {
    const text = diffLines({ from: VERSIONS[2]!, to: VERSIONS[1]!, releases }, style).join('\n');
    assert.match(text, /From version 1 to version 2 of staging: 1 release of 1 service differs\./);
    assert.match(text, /~ app in ns: image app:1 → app:2/);
    assert.match(text, /spec\.replicas: 1 → 2/);
    assert.doesNotMatch(text, /hunter/);
    assert.match(text, /DB_PASSWORD\]\.value: \(hidden, fingerprint \w+\) → \(hidden, fingerprint \w+\)/);
    assert.doesNotMatch(text, /Job/);
  });
  test('revisions that Helm has lost are said', () => {
    const [lost] = diffReleases([release('app', '1')], [release('app', '2')], {
      before: new Map([['ns/app', undefined]]),
      after: new Map([['ns/app', 'x']]),
    });
    assert.match(lost?.note ?? '', /no longer has both/);
  });
  test('nothing, in words', () => {
    assert.deepEqual(diffLines({ from: VERSIONS[2]!, releases: [] }, style), [
      'Version 1 and what runs now of staging have the same content.',
    ]);
  });
});

describe('rollback', () => {
  const plan = {
    ...PLAN,
    operation: 'rollback' as const,
    toVersion: 2,
    unhealthy: [{ service: 'identity', reason: 'CrashLoopBackOff' }],
    notes: ['dashboard stays.'],
    services: PLAN.services.map((service) =>
      service.name === 'identity' || service.name === 'dashboard'
        ? {
            ...service,
            action: 'rollback' as const,
            remainingSeconds: service.name === 'dashboard' ? 30 : 20,
            steps: service.steps.map((step) => ({
              ...step,
              action: 'rollback' as const,
              reason: 'image a:2 → a:1, revision 4',
              toRevision: 4,
            })),
          }
        : { ...service, action: 'unchanged' as const },
    ),
  };

  test('shows what it will do before it starts, dependents first', () => {
    assert.equal(
      previewLines(plan, 100).join('\n'),
      `
sandbox goes back to version 2: 2 releases of 2 services, dependents first, about 30 s or more.
  back      dashboard  image a:2 → a:1, revision 4
  back      identity   image a:2 → a:1, revision 4
Not well now, its evidence is kept first: identity (CrashLoopBackOff)
Note: dashboard stays.
`,
    );
  });

  test('a protected environment has to be named', () => {
    const prod = { name: 'prod', protected: true };
    assert.doesNotThrow(() => {
      requireConfirmation(prod, {}, true);
    });
    assert.doesNotThrow(() => {
      requireConfirmation(prod, { confirm: 'prod' }, false);
    });
    assert.throws(
      () => {
        requireConfirmation(prod, { to: 4 }, false);
      },
      (error: Error & { exitCode?: number; next?: string[] }) =>
        error.exitCode === 3 && error.next?.[0]?.includes('rollback --env prod --to 4 --confirm prod') === true,
    );
    assert.throws(() => {
      requireConfirmation({ name: 'dev', protected: false }, { confirm: 'prod' }, true);
    }, /does not name the environment "dev"/);
    assert.doesNotThrow(() => {
      requireConfirmation({ name: 'dev', protected: false }, {}, false);
    });
  });

  test('at its end: the version, the evidence, the way on', () => {
    const done = {
      ...result('succeeded', ALL_GOOD),
      operation: 'rollback' as const,
      toVersion: 2,
      version: 5,
      evidence: [{ service: 'identity', file: '/e/identity-before.txt' }],
    };
    assert.deepEqual(versionLine(done), ['  It has the content of version 2 again, and is version 5 now.']);
    assert.deepEqual(afterwards(done, { columns: 100, style }), [
      '',
      '  Evidence of identity, before it was touched: /e/identity-before.txt',
    ]);
    assert.match(afterRollback({ ...done, outcome: 'failed' })[0]?.[0] ?? '', /rollback --env sandbox --to 2$/);
  });

  test('after a failed deployment: what was taken back, and what could not be', () => {
    const failed = result('failed', ALL_GOOD);
    const lines = (undone: NonNullable<typeof failed.undone>): string =>
      afterwards({ ...failed, undone }, { columns: 100, style }).join('\n');
    assert.match(
      lines({
        outcome: 'succeeded',
        services: [outcome('identity', 'healthy', 3), outcome('vault', 'unchanged', 0)],
        notes: ['gitops stays.'],
      }),
      /taken back: 1 service is as before\.\n {2}identity\n {2}gitops stays\./,
    );
    assert.match(
      lines({ outcome: 'failed', services: [], failure: { type: 'PointOfNoReturn', message: 'would cross V4.sql' } }),
      /failed, everything is as it was left\.\n {2}would cross V4\.sql/,
    );
  });
});

test('numbers of versions', () => {
  assert.equal(parseVersion('12'), 12);
  for (const text of ['0', '-1', 'v3', '1.5', ''])
    assert.throws(() => parseVersion(text), /is not the number of a version/);
});
