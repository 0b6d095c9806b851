import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RELEASE_LABELS } from '../../../src/contract/names.ts';
import type { PlannedAction, PlannedService } from '../../../src/contract/operations/plan.ts';
import { measuredSeconds, withExpected } from '../../../src/plan/diff/expected.ts';
import { changesSince, planFileOf, planFileSchema } from '../../../src/plan/diff/file.ts';
import { changesAnything, orphans, serviceChange } from '../../../src/plan/diff/services.ts';
import type { ObjectChange, ReleaseChange, ServiceAction, ServiceChange } from '../../../src/plan/diff/types.ts';
import { soundSample } from '../../catalog/sample.ts';
import { asWanted } from '../observed-sample.ts';

const release = (action: PlannedAction, objects: ObjectChange[] = [], name = 'api'): ReleaseChange => ({
  name,
  namespace: 'apps',
  kind: 'release',
  action,
  reason: `because of ${action}`,
  digest: '0123456789abcdef',
  revision: 3,
  objects,
});
const object = (action: ObjectChange['action'], more: Partial<ObjectChange> = {}): ObjectChange => ({
  action,
  kind: 'Deployment',
  namespace: 'apps',
  name: 'api',
  fields: [],
  ...more,
});
const planned: PlannedService = {
  number: 1,
  phase: 1,
  name: 'api',
  namespace: 'apps',
  dependsOn: [],
  action: 'upgrade',
  reason: 'because',
  steps: [],
  remainingSeconds: 1,
  healthTimeoutSeconds: 1,
};

describe('what is said of a service', () => {
  const CASES: [what: string, releases: ReleaseChange[], action: ServiceAction, reason: RegExp][] = [
    ['nothing there', [release('install', [object('create')])], 'create', /^because of install$/],
    [
      'objects without a release',
      [release('install', [object('adopt'), object('create')])],
      'adopt',
      /1 of its objects is there/,
    ],
    ['another image', [release('upgrade', [object('update')])], 'upgrade', /^because of upgrade$/],
    [
      'an immutable field',
      [release('upgrade', [object('replace', { immutable: ['spec.selector'] })])],
      'replace',
      /^Deployment api: spec\.selector cannot be changed in place$/,
    ],
    [
      'a new Job',
      [
        release(
          'upgrade',
          [
            object('replace', { kind: 'Job', name: 'migrate-1 → migrate-2', immutable: ['spec.template'] }),
            object('replace', { kind: 'ConfigMap', name: 'sql-1 → sql-2', immutable: ['data'] }),
          ],
          'migrate',
        ),
      ],
      'replace',
      /^migrate: Job migrate-1: spec\.template cannot be changed in place$/,
    ],
    ['a failed attempt', [release('retry')], 'retry', /retry/],
    ['waiting', [release('verify')], 'verify', /verify/],
    ['unchanged', [release('unchanged')], 'skip', /^because$/],
    ['not selected', [release('excluded')], 'skip', /^because$/],
    [
      'a step that says more',
      [release('unchanged'), release('install', [object('create')], 'databases')],
      'create',
      /^databases: because of install$/,
    ],
  ];
  for (const [what, releases, action, reason] of CASES) {
    test(what, () => {
      const change = serviceChange(planned, releases);
      assert.equal(change.action, action);
      assert.match(change.reason, reason);
    });
  }

  test('there is something to do when a step or the prerequisites says so', () => {
    const service = (action: PlannedAction): PlannedService => ({
      ...planned,
      steps: [{ kind: 'release', name: 'api', namespace: 'apps', job: false, action, reason: '', digest: '' }],
    });
    assert.equal(
      changesAnything({ services: [service('unchanged'), service('excluded')], prerequisites: false }),
      false,
    );
    assert.equal(changesAnything({ services: [service('unchanged')], prerequisites: true }), true);
    assert.equal(changesAnything({ services: [service('verify')], prerequisites: false }), true);
  });

  test('releases of ours that nobody declares are orphans, those of others are not', () => {
    const catalog = soundSample();
    const observed = asWanted(catalog);
    observed.releases.set('apps/old', {
      revision: 2,
      status: 'deployed',
      labels: { [RELEASE_LABELS.environment]: 'sandbox', [RELEASE_LABELS.service]: 'old' },
    });
    observed.releases.set('apps/theirs', { revision: 1, status: 'deployed', labels: {} });
    observed.releases.set('apps/staged', {
      revision: 1,
      status: 'deployed',
      labels: { [RELEASE_LABELS.environment]: 'staging' },
    });
    observed.releases.set('apps/gone', {
      revision: 1,
      status: 'uninstalled',
      labels: { [RELEASE_LABELS.environment]: 'sandbox' },
    });
    assert.deepEqual(orphans(catalog, 'sandbox', observed), [
      { name: 'old', namespace: 'apps', service: 'old', revision: 2 },
    ]);
  });
});

describe('expected duration', () => {
  const version = (number: number, seconds: number, changed = true, operation: 'deploy' | 'rollback' = 'deploy') => ({
    version: number,
    operation,
    services: [{ name: 'api', phase: 1, state: 'healthy', seconds, changed }],
  });
  const service = (
    name: string,
    action: ServiceAction,
    dependsOn: string[] = [],
  ): Omit<ServiceChange, 'expectedSeconds' | 'expectedFrom'> => ({
    number: 1,
    phase: 1,
    name,
    namespace: 'apps',
    dependsOn,
    action,
    reason: '',
    releases: [],
  });

  test('is measured by what deployments changed, the newest five of them', () => {
    assert.deepEqual(
      [
        ...measuredSeconds([
          version(1, 100),
          version(2, 5),
          version(3, 1),
          version(4, 2, false),
          version(5, 3),
          version(6, 90, true, 'rollback'),
          version(7, 4),
          version(8, 2),
        ]),
      ],
      [['api', 3]],
    );
    assert.equal(measuredSeconds([version(1, 4, false)]).size, 0);
  });

  test('is that of the longest path through what is touched', () => {
    const { services, expected } = withExpected(
      [
        service('db', 'skip'),
        service('api', 'upgrade', ['db']),
        service('web', 'create', ['api']),
        service('jobs', 'create', ['db']),
      ],
      new Map([['api', 2]]),
      new Map([
        ['db', 50],
        ['api', 10],
        ['web', 3],
        ['jobs', 4],
      ]),
    );
    assert.deepEqual(expected, { seconds: 5, path: ['api', 'web'], touched: 3, measured: 1 });
    assert.deepEqual(
      services.map(({ expectedSeconds, expectedFrom }) => [expectedSeconds, expectedFrom]),
      [
        [0, 'declared'],
        [2, 'past'],
        [3, 'declared'],
        [4, 'declared'],
      ],
    );
  });

  test('is nothing when nothing is touched', () => {
    assert.deepEqual(withExpected([service('db', 'skip')], new Map(), new Map()).expected, {
      seconds: 0,
      path: [],
      touched: 0,
      measured: 0,
    });
  });
});

describe('a plan file', () => {
  const changes = {
    environment: 'sandbox',
    clusterUid: 'uid',
    digest: '0123456789abcdef',
    services: [
      {
        number: 1,
        phase: 1,
        name: 'api',
        namespace: 'apps',
        dependsOn: [],
        action: 'upgrade' as const,
        reason: '',
        releases: [release('upgrade', [object('update', { fields: [{ path: 'a', from: 'b', to: 'c' }] })])],
        expectedSeconds: 0,
        expectedFrom: 'declared' as const,
      },
    ],
  };
  const file = planFileOf(changes, {
    imageTags: { api: '1.2' },
    createdAt: '2026-01-01T00:00:00.000Z',
    requestedBy: 'a@b',
  });
  const now = (over: Partial<ReleaseChange> = {}): { name: string; steps: ReleaseChange[] }[] => [
    { name: 'api', steps: [{ ...release('upgrade'), ...over }] },
  ];

  test('says what is to be done on which world, and no more', () => {
    assert.deepEqual(planFileSchema.parse(JSON.parse(JSON.stringify(file))), file);
    assert.deepEqual(file.steps, [
      { service: 'api', name: 'api', namespace: 'apps', action: 'upgrade', digest: '0123456789abcdef', revision: 3 },
    ]);
  });

  const CASES: [what: string, services: ReturnType<typeof now>, says: string[]][] = [
    ['nothing', now(), []],
    [
      'content',
      now({ digest: 'fedcba9876543210' }),
      ['api: chart, values or image were edited (0123456789abcdef, now fedcba9876543210)'],
    ],
    ['revision', now({ revision: 4 }), ['api: revision 3 then, revision 4 now']],
    ['action', now({ action: 'unchanged' }), ['api: planned as upgrade, now unchanged']],
    ['a service that is gone', [], ['api: the catalog does not have it any more']],
    [
      'a service that is new',
      [...now(), { name: 'web', steps: [release('install', [], 'web-databases')] }],
      ['web (web-databases): the catalog has it only now'],
    ],
  ];
  for (const [what, services, says] of CASES)
    test(`what has changed since: ${what}`, () => assert.deepEqual(changesSince(file, services), says));
});
