import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/schema.ts';
import type { OperationPlan, PlannedStep } from '../../../src/contract/operations/plan.ts';
import type { PlatformVersion, VersionedRelease } from '../../../src/contract/version.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { allReleases } from '../../../src/plan/releases.ts';
import {
  buildRollbackPlan,
  type ObservedRevision,
  type RollbackPlanInput,
} from '../../../src/plan/versions/rollback.ts';
import { buildUndoPlan } from '../../../src/plan/versions/undo.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';
import { sampleRelease, sampleVersion } from '../../support/versions.ts';

const catalog: Catalog = await miniCatalog();
let environment: Environment;
before(async () => {
  environment = await miniEnvironment();
});

const ALL = allReleases(catalog).filter(({ kind }) => kind === 'release');

/** A version in which every release has digest `d1`, but for those named. */
function version(number: number, digests: Record<string, string | undefined> = {}): PlatformVersion {
  const releases = ALL.flatMap(({ name, namespace, service, job }): VersionedRelease[] => {
    const digest = name in digests ? digests[name] : 'd1';
    const images = [{ image: `${name}:${digest}` }];
    return digest === undefined ? [] : [sampleRelease(name, { service, namespace, job, digest, images })];
  });
  return sampleVersion(number, { runId: '', releases });
}

/** Every release at revision 1 with `d1`, but for those named. */
function revisions(named: Record<string, Partial<ObservedRevision>[]> = {}): Map<string, ObservedRevision[]> {
  return new Map(
    ALL.map(({ name, namespace }) => [
      `${namespace}/${name}`,
      (named[name] ?? [{}]).map((more, index) => ({
        revision: index + 1,
        status: 'deployed',
        digest: 'd1',
        proven: true,
        run: 'run-1',
        ...more,
      })),
    ]),
  );
}

const UP: Partial<ObservedRevision>[] = [{ status: 'superseded' }, { digest: 'd2', run: 'run-2' }];

function plan(more: Partial<RollbackPlanInput>): OperationPlan {
  return buildRollbackPlan({
    catalog,
    environment,
    target: version(1),
    newest: undefined,
    revisions: revisions(),
    data: new Map(),
    unhealthy: new Map(),
    crossed: [],
    pastNoReturn: false,
    ...more,
  });
}

const todo = (made: OperationPlan): PlannedStep[] =>
  made.services.flatMap(({ steps }) => steps).filter(({ action }) => action !== 'unchanged');
const serviceOf = (made: OperationPlan, name: string): OperationPlan['services'][number] =>
  made.services.find((service) => service.name === name)!;

describe('plan of a rollback', () => {
  test('what is as it was then is left alone', () => {
    const made = plan({});
    assert.deepEqual(todo(made), []);
    assert.equal(made.toVersion, 1);
    assert.equal(made.services.length, catalog.services.length);
    assert.equal(made.operation, 'rollback');
  });

  test('what differs goes back to the newest revision with the content of then', () => {
    const made = plan({
      revisions: revisions({
        api: [
          { status: 'superseded' },
          { status: 'superseded', digest: 'd2' },
          { status: 'superseded' },
          { digest: 'd2' },
        ],
      }),
      newest: version(4, { api: 'd2' }),
    });
    assert.deepEqual(
      todo(made).map(({ name, action, toRevision, digest, reason }) => ({ name, action, toRevision, digest, reason })),
      [
        {
          name: 'api',
          action: 'rollback',
          toRevision: 3,
          digest: 'd1',
          reason: 'image api:d2 → api:d1, revision 3',
        },
      ],
    );
  });

  test('a release that is half done goes back, whatever its digest says', () => {
    for (const status of ['failed', 'pending-upgrade', 'pending-rollback'] as const) {
      const made = plan({ revisions: revisions({ auth: [{}, { status, digest: 'd1' }] }) });
      assert.deepEqual(
        todo(made).map(({ name, toRevision }) => [name, toRevision]),
        [['auth', 1]],
        status,
      );
    }
  });

  test('what was brought back, but not seen healthy before an interruption, is waited for', () => {
    assert.deepEqual(
      todo(plan({ revisions: revisions({ auth: [{ proven: false }] }) })).map(({ name, action }) => [name, action]),
      [['auth', 'verify']],
    );
  });

  test('dependents first, also across services to which nothing is done', () => {
    const made = plan({
      revisions: revisions({ database: UP, auth: UP, web: UP, admin: UP }),
    });
    const order = new Map(made.services.map(({ name, dependsOn }) => [name, dependsOn]));
    const reaches = (from: string, to: string): boolean =>
      (order.get(from) ?? []).some((name) => name === to || reaches(name, to));
    assert.ok(reaches('database', 'auth'));
    assert.ok(reaches('auth', 'web'));
    assert.ok(!reaches('web', 'auth'));
    for (const { name, dependsOn } of made.services)
      for (const dependency of dependsOn) {
        assert.ok(!reaches(dependency, name), `${name} and ${dependency} wait for each other`);
        assert.ok(
          ['database', 'auth', 'web', 'admin'].includes(dependency),
          `${name} waits for ${dependency}, to which nothing is done`,
        );
      }
    assert.equal(made.criticalPath.at(-1), 'database');
    assert.ok(serviceOf(made, 'admin').remainingSeconds > serviceOf(made, 'database').remainingSeconds);
  });

  test('steps of a service run in reverse', () => {
    const made = plan({
      revisions: revisions({ database: UP, 'database-roles': UP }),
    });
    const steps = serviceOf(made, 'database').steps.map(({ name }) => name);
    assert.deepEqual(steps, ['database-roles', 'database']);
  });

  test('what was not there then is removed, unless it is a Job or holds data', () => {
    const made = plan({
      target: version(1, { admin: undefined, storage: undefined, schema: undefined }),
      data: new Map([
        [`${ALL.find(({ name }) => name === 'storage')!.namespace}/storage`, 'it keeps data in a volume'],
      ]),
    });
    assert.deepEqual(
      todo(made).map(({ name, action }) => [name, action]),
      [['admin', 'remove']],
    );
    assert.equal(made.notes?.length, 2);
    assert.match(made.notes.join('\n'), /schema .*Job/);
    assert.match(made.notes.join('\n'), /storage .*volume/);
  });

  test('refused, with names, when Helm no longer has a revision', () => {
    assert.throws(() => plan({ target: version(1, { auth: 'd0' }) }), {
      name: 'RollbackRefusedError',
      type: 'VersionUnknown',
      message: /\/auth \(digest d0\)/,
    });
    assert.throws(
      () =>
        plan({
          target: version(1, { auth: 'd0' }),
          revisions: revisions({ auth: [{ digest: 'd0', status: 'failed' }, {}] }),
        }),
      { type: 'VersionUnknown' },
    );
  });

  test('refused at a point of no return, and passed when told to', () => {
    const crossed = [
      {
        release: 'schema',
        file: 'helm/migrations/schema/V2__drop.sql',
        reason: 'drops a table',
      },
    ];
    assert.throws(() => plan({ crossed }), { type: 'PointOfNoReturn', message: /V2__drop\.sql .*drops a table/ });
    assert.match(
      plan({ crossed, pastNoReturn: true }).notes?.[0] ?? '',
      /Crosses helm\/migrations\/schema\/V2__drop\.sql/,
    );
  });

  test('evidence is wanted of what is not well and about to be touched, of nothing else', () => {
    const made = plan({
      revisions: revisions({ auth: UP }),
      unhealthy: new Map([
        ['auth', 'CrashLoopBackOff'],
        ['admin', 'also ill'],
      ]),
    });
    assert.deepEqual(made.unhealthy, [{ service: 'auth', reason: 'CrashLoopBackOff' }]);
  });

  test('another state of the cluster has another digest', () => {
    assert.notEqual(plan({}).digest, plan({ revisions: revisions({ auth: UP }) }).digest);
  });
});

test('a StatefulSet that was deleted without its pods is made again, also where its revision is the right one', () => {
  const orphaned = new Set(['data/database', 'data/storage']);
  const made = plan({ orphaned, revisions: revisions({ storage: UP }) });
  assert.deepEqual(
    todo(made).map(({ name, action, toRevision, reason }) => [name, action, toRevision, /pods run on/.test(reason)]),
    [
      ['database', 'rollback', 1, true],
      ['storage', 'rollback', 1, false],
    ],
  );
});

describe('plan that takes a failed run back', () => {
  const undo = (named: Record<string, Partial<ObservedRevision>[]>, orphaned?: ReadonlySet<string>): OperationPlan =>
    buildUndoPlan({
      ...{ catalog, environment, runId: 'run-2', revisions: revisions(named), crossed: [] },
      ...(orphaned === undefined ? {} : { orphaned }),
    });

  test('a StatefulSet that it has taken away and not made again is; what it has applied goes back as ever', () => {
    const made = undo({ storage: UP }, new Set(['data/database', 'data/storage']));
    assert.deepEqual(
      todo(made)
        .map(({ name, action, toRevision, digest }) => [name, action, toRevision, digest])
        .sort(),
      [
        ['database', 'rollback', 1, 'd1'],
        ['storage', 'rollback', 1, 'd1'],
      ],
    );
  });

  test('only what this run wrote, to the revision before it', () => {
    const made = undo({
      auth: UP,
      api: [
        { status: 'superseded' },
        { status: 'deployed', digest: 'd5' },
        { status: 'failed', digest: 'd6', run: 'run-2' },
      ],
    });
    assert.deepEqual(
      todo(made).map(({ name, action, toRevision, digest }) => [name, action, toRevision, digest]),
      [
        ['auth', 'rollback', 1, 'd1'],
        ['api', 'rollback', 2, 'd5'],
      ],
    );
  });
  test('what this run installed stays, and is named', () => {
    const made = undo({ auth: [{ run: 'run-2' }] });
    assert.deepEqual(todo(made), []);
    assert.match(made.notes?.join() ?? '', /auth was installed by this run and stays/);
  });
  test('what was only applied again as it was is left alone', () => {
    assert.deepEqual(todo(undo({ auth: [{ status: 'superseded' }, { run: 'run-2', proven: false }] })), []);
  });
  test('a migration that cannot be taken back keeps everything as it is', () => {
    assert.throws(
      () =>
        buildUndoPlan({
          catalog,
          environment,
          runId: 'run-2',
          revisions: revisions(),
          crossed: [{ release: 'r', file: 'f.sql', reason: 'x' }],
        }),
      { type: 'PointOfNoReturn' },
    );
  });
});
