import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DriftFinding } from '../../../src/contract/drift.ts';
import { ownRevision, type RecordedRevision, surveyReleases } from '../../../src/plan/drift/releases.ts';
import type { ReleaseStatus } from '../../../src/plan/observed.ts';
import { buildRepairPlan } from '../../../src/plan/repair.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';

const catalog = await miniCatalog();
const KEY = 'apps/admin';
const revision = (
  number: number,
  status: ReleaseStatus,
  run: string,
  digest: string,
  manager = 'Helm',
): RecordedRevision => ({
  revision: number,
  status,
  manager,
  writtenAt: 1_700_000_000,
  labels: { 'ananta-environment': 'sandbox', 'ananta-run': run, 'ananta-digest': digest },
});
const survey = (revisions: [string, RecordedRevision[]][], claimed: string[] = []): ReturnType<typeof surveyReleases> =>
  surveyReleases({ environment: 'sandbox', catalog, revisions: new Map(revisions), claimed: new Set(claimed) });

describe('records of Helm', () => {
  for (const [what, revisions, claimed, wanted] of [
    ['as a deployment left it', [revision(1, 'deployed', 'r1', 'd1')], true, undefined],
    ['never deployed', [], false, undefined],
    ['its record gone, its objects there', [], true, ['missing', 'release']],
    ['the newest revision gone', [revision(1, 'superseded', 'r1', 'd1')], true, ['missing', 'release']],
    [
      'upgraded by hand: labels are copied',
      [revision(1, 'superseded', 'r1', 'd1'), revision(2, 'deployed', 'r1', 'd1')],
      true,
      ['changed', 'release'],
    ],
    [
      'rolled back by a run of ours',
      [
        revision(1, 'superseded', 'r1', 'd1'),
        revision(2, 'superseded', 'r2', 'd2'),
        revision(3, 'deployed', 'r3', 'd1'),
      ],
      true,
      undefined,
    ],
    [
      'its record written by somebody',
      [revision(1, 'deployed', 'r1', 'd1', 'kubectl-edit')],
      true,
      ['changed', 'release'],
    ],
    ['failed', [revision(1, 'failed', 'r1', 'd1')], true, ['unhealthy', undefined]],
    ['interrupted', [revision(1, 'pending-upgrade', 'r1', 'd1')], true, ['unhealthy', undefined]],
  ] as const) {
    test(what, () => {
      const { findings, baselines } = survey(
        revisions.length === 0 ? [] : [[KEY, [...revisions]]],
        claimed ? [KEY] : [],
      );
      assert.deepEqual(
        findings.map(({ kind, repair }) => [kind, repair]),
        wanted === undefined ? [] : [[...wanted]],
      );
      assert.equal(baselines.has(KEY), revisions.at(-1)?.status === 'deployed');
    });
  }

  test("a release of ours that the catalog does not know is told and left alone; other people's are none of ours", () => {
    const foreign = { ...revision(1, 'deployed', 'x', 'y'), labels: {} };
    const { findings } = survey([
      ['apps/old', [revision(1, 'deployed', 'r1', 'd1')]],
      ['apps/by-hand', [foreign]],
      ['elsewhere/theirs', [foreign]],
    ]);
    assert.deepEqual(
      findings.map(({ kind, object, repair }) => [kind, object, repair]),
      [
        ['extra', 'Release apps/old', undefined],
        ['extra', 'Release apps/by-hand', undefined],
      ],
    );
  });

  test('ours is the newest that is no copy', () => {
    assert.equal(
      ownRevision([
        revision(1, 'superseded', 'r1', 'd1'),
        revision(2, 'superseded', 'r2', 'd2'),
        revision(3, 'deployed', 'r2', 'd2'),
      ])?.revision,
      2,
    );
    assert.equal(ownRevision([{ ...revision(1, 'deployed', 'r1', 'd1'), labels: {} }]), undefined);
  });
});

describe('the plan of a repair', () => {
  const finding = (more: Partial<DriftFinding> = {}): DriftFinding => ({
    key: 'k',
    kind: 'changed',
    area: 'kubernetes',
    service: 'admin',
    release: 'admin',
    object: 'Deployment apps/admin',
    field: 'spec.replicas',
    valueDigest: 'v',
    repair: 'release',
    ...more,
  });
  const plan = async (
    findings: DriftFinding[],
    revisions: RecordedRevision[],
    { digests = [], versioned = [] }: { digests?: [string, string][]; versioned?: [string, string][] } = {},
  ): Promise<ReturnType<typeof buildRepairPlan>> =>
    buildRepairPlan({
      catalog,
      environment: await miniEnvironment(),
      findings,
      revisions: new Map([[KEY, revisions]]),
      digests: new Map(digests),
      versioned: new Map(versioned),
    });
  const stepOf = ({ services }: Awaited<ReturnType<typeof plan>>): unknown[] =>
    services
      .filter(({ action }) => action !== 'unchanged')
      .flatMap(({ steps }) => steps.map(({ name, action, toRevision, digest }) => [name, action, toRevision, digest]));

  test('the newest revision once more; everything else is unchanged', async () => {
    const made = await plan([finding()], [revision(1, 'superseded', 'r1', 'd1'), revision(2, 'deployed', 'r2', 'd2')]);
    assert.deepEqual(stepOf(made), [['admin', 'repair', 2, 'd2']]);
    assert.deepEqual(
      [made.operation, made.services.length, made.criticalPath],
      ['repair', catalog.services.length, ['admin']],
    );
    assert.match(made.services.find(({ name }) => name === 'admin')?.reason ?? '', /spec\.replicas changed/);
  });

  test('after an upgrade by hand the one of ours', async () => {
    assert.deepEqual(
      stepOf(await plan([finding()], [revision(1, 'superseded', 'r1', 'd1'), revision(2, 'deployed', 'r1', 'd1')])),
      [['admin', 'repair', 1, 'd1']],
    );
  });

  test('without a record from the checkout, if that has the same content', async () => {
    assert.deepEqual(stepOf(await plan([finding()], [], { digests: [['admin', 'd1']], versioned: [[KEY, 'd1']] })), [
      ['admin', 'retry', undefined, 'd1'],
    ]);
    const other = await plan([finding()], [], { digests: [['admin', 'd2']], versioned: [[KEY, 'd1']] });
    assert.deepEqual(stepOf(other), []);
    assert.match(other.notes?.join() ?? '', /admin is left as it is/);
  });

  test('fields that somebody added need no release', async () => {
    assert.deepEqual(stepOf(await plan([finding({ repair: 'field' })], [revision(1, 'deployed', 'r1', 'd1')])), []);
  });
});
