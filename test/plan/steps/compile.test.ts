/** The complete plan of each operation: kinds, edges, and what a digest over it is about. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OperationPlan, PlannedStep } from '../../../src/contract/operations/plan.ts';
import { type OperationStep, STEP_KINDS } from '../../../src/contract/operations/steps.ts';
import { compileSteps, withSteps } from '../../../src/plan/steps/compile.ts';
import { planDigest } from '../../../src/plan/digest.ts';
import { notifySchema } from '../../../src/environment/fields/notify.ts';
import { completed, completedAs } from '../../../src/plan/steps/complete.ts';
import type { Intent } from '../../../src/plan/steps/intent.ts';
import { stagesOf, waitsOf } from '../../../src/plan/steps/order.ts';
import { stepsWithoutPlan } from '../../../src/plan/steps/platform.ts';
import { planOf } from '../../support/plans.ts';

const vaultPlan = (): OperationPlan => {
  const plan = planOf({
    vault: { phase: 1 },
    api: { phase: 2, dependsOn: ['vault'] },
    done: { phase: 2, action: 'unchanged' },
  });
  const initialisation: PlannedStep = {
    ...plan.services[0]!.steps[0]!,
    kind: 'vault-init',
    name: 'vault-init',
    reason: 'Vault is not initialized',
  };
  plan.services[0]!.steps.push(initialisation);
  return plan;
};
const finding = (repair: 'namespace' | 'unseal' | 'vault' | 'secret' | 'field' | 'release') => ({
  key: repair,
  repair,
  area: repair === 'field' ? 'kubernetes' : 'other',
  valueDigest: '0',
});
const checkOf = (name: string) => ({
  service: 'api',
  name,
  kind: 'http' as const,
  reason: name,
  timeoutSeconds: 1,
  digest: '0123456789abcdef',
});
/** `id <- what it waits for`, in the order of the plan. */
const lines = (steps: readonly OperationStep[]): string[] =>
  steps.map((step) => [step.id, ...(waitsOf(step).length > 0 ? ['<-', ...waitsOf(step)] : [])].join(' '));

test('a plan of an earlier version says by another name that prerequisites are missing', () => {
  const { prerequisites: _, ...plan } = planOf({ a: { phase: 1 } });
  const ids = (groundwork: boolean): string[] =>
    withSteps({ ...plan, groundwork } as OperationPlan, { verb: 'deploy' }).steps.map(({ id }) => id);
  assert.ok(ids(true).includes('namespace'));
  assert.ok(!ids(false).includes('namespace'));
});

test('a plan of an earlier version calls the initialisation of Vault otherwise, and stays the same plan', () => {
  const earlier = vaultPlan();
  for (const step of earlier.services[0]!.steps)
    if (step.kind === 'vault-init') Object.assign(step, { kind: 'vault-bootstrap', name: 'vault-bootstrap' });
  assert.deepEqual(
    compileSteps(earlier, { verb: 'deploy' }).map(({ id }) => id),
    compileSteps(vaultPlan(), { verb: 'deploy' }).map(({ id }) => id),
  );
  assert.equal(planDigest('mini', earlier.services), planDigest('mini', vaultPlan().services));
});

describe('the steps of', () => {
  const cases: [string, OperationPlan, Intent, string[]][] = [
    [
      'a deployment',
      { ...vaultPlan(), onFailure: 'rollback' },
      { verb: 'deploy' },
      [
        'namespace',
        'apply/test/vault <- namespace',
        'verify/test/vault <- apply/test/vault',
        'vault-open/vault <- verify/test/vault',
        'vault-configure/vault <- vault-open/vault',
        'vault-seed/vault <- vault-configure/vault',
        'secret-sync/vault <- vault-seed/vault',
        'apply/test/api <- namespace secret-sync/vault',
        'verify/test/api <- apply/test/api',
        'services <- namespace secret-sync/vault verify/test/api',
        'vault-open/again <- secret-sync/vault services',
        'undo <- services vault-open/again',
        'unlock',
        'notify',
        'schedule',
        'version',
        'audit',
      ],
    ],
    [
      'a deployment with checks: after all services, before anything is taken back; skipped ones are no steps',
      {
        ...planOf({ api: { phase: 1, action: 'upgrade' } }),
        prerequisites: false,
        onFailure: 'rollback',
        checks: [checkOf('version'), checkOf('smoke'), { ...checkOf('metrics'), skipped: 'nobody scrapes' }],
      },
      { verb: 'deploy' },
      [
        'apply/test/api',
        'verify/test/api <- apply/test/api',
        'services <- verify/test/api',
        'check/api/version <- services',
        'check/api/smoke <- services',
        'undo <- services vault-open/again check/api/version check/api/smoke',
        'unlock',
        'notify',
        'schedule',
        'version',
        'audit',
      ],
    ],
    [
      'a deployment with nothing to do',
      { ...planOf({ a: { phase: 1, action: 'unchanged' } }), prerequisites: false },
      { verb: 'deploy' },
      ['services', 'notify', 'schedule', 'version', 'audit'],
    ],
    [
      'a rollback, evidence first',
      {
        ...planOf({ web: { phase: 2, action: 'rollback' }, api: { phase: 1, dependsOn: ['web'], action: 'remove' } }),
        operation: 'rollback',
        unhealthy: [{ service: 'web', reason: 'CrashLoopBackOff' }],
      },
      { verb: 'rollback' },
      [
        'evidence/web',
        'rollback/test/web <- evidence/web',
        'verify/test/web <- rollback/test/web',
        'uninstall/test/api <- verify/test/web evidence/web',
        'services <- evidence/web verify/test/web uninstall/test/api',
        'vault-open/again <- services',
        'unlock',
        'version',
        'audit',
      ],
    ],
    [
      'what takes a failed deployment back: no version of its own',
      planOf({ web: { phase: 2, action: 'rollback' } }),
      { verb: 'undo' },
      [
        'rollback/test/web',
        'verify/test/web <- rollback/test/web',
        'services <- verify/test/web',
        'vault-open/again <- services',
        'unlock',
        'audit',
      ],
    ],
    [
      'a repair: only what findings ask for, in this order',
      planOf({ web: { phase: 2, action: 'repair' } }),
      { verb: 'repair', findings: [finding('field'), finding('vault'), finding('namespace')] },
      [
        'namespace',
        'vault-open <- namespace',
        'vault-configure <- vault-open',
        'vault-seed <- vault-configure',
        'secret-sync <- vault-seed',
        'field-patch <- secret-sync',
        'rollback/test/web <- field-patch',
        'verify/test/web <- rollback/test/web',
        'services <- field-patch verify/test/web',
        'unlock',
        'audit',
      ],
    ],
    [
      'a destruction: what no release holds goes last, and only where all releases have gone',
      planOf({ store: { phase: 1, dependsOn: ['web'], action: 'remove' }, web: { phase: 2, action: 'remove' } }),
      { verb: 'destroy', deleteData: true },
      [
        'unschedule',
        'uninstall/test/store <- unschedule uninstall/test/web',
        'uninstall/test/web <- unschedule',
        'services <- unschedule uninstall/test/store uninstall/test/web',
        'prune <- services',
        'unlock',
        'audit',
      ],
    ],
    [
      'an adoption',
      planOf({ web: { phase: 1, action: 'excluded' } }),
      { verb: 'adopt', services: [{ service: 'web', digest: 'd' }] },
      ['adopt', 'services <- adopt', 'audit'],
    ],
    [
      'an adoption of several, one after the other',
      planOf({ web: { phase: 1, action: 'excluded' } }),
      { verb: 'adopt', services: [{ service: 'store', digest: 'd' }, { service: 'web' }] },
      ['adopt/store', 'adopt/web <- adopt/store', 'services <- adopt/web', 'audit'],
    ],
    [
      'a Job is a job',
      { ...planOf({ flyway: { phase: 1, job: true } }), prerequisites: false },
      { verb: 'deploy' },
      [
        'job/test/flyway',
        'verify/test/flyway <- job/test/flyway',
        'services <- verify/test/flyway',
        'unlock',
        'notify',
        'schedule',
        'version',
        'audit',
      ],
    ],
  ];
  for (const [name, plan, intent, expected] of cases) {
    test(name, () => {
      const steps = compileSteps(plan, intent);
      assert.deepEqual(lines(steps), expected);
      const ids = steps.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length, 'ids are unique');
      for (const step of steps) {
        assert.ok((STEP_KINDS as readonly string[]).includes(step.kind));
        assert.notEqual(step.reason, '', `${step.id} says why`);
      }
    });
  }

  test('destroy says in the plan whether data go', () => {
    const prune = (deleteData: boolean) =>
      compileSteps(planOf({}), { verb: 'destroy', deleteData }).find(({ kind }) => kind === 'prune')?.deleteData;
    assert.deepEqual([prune(true), prune(false)], [true, undefined]);
  });

  test('Vault is not opened again where its service was not selected', () => {
    const plan = vaultPlan();
    plan.services[0] = {
      ...plan.services[0]!,
      action: 'excluded',
      steps: plan.services[0]!.steps.map((step) => ({ ...step, action: 'excluded' })),
    };
    assert.ok(!compileSteps(plan, { verb: 'deploy' }).some(({ id }) => id === 'vault-open/again'));
  });
});

describe('what an operation carries out itself', () => {
  test('before services: what they wait for, and what that waits for', () => {
    const steps = compileSteps(planOf({ web: { phase: 1, action: 'repair' } }), {
      verb: 'repair',
      findings: [finding('vault')],
    });
    const { before, after, closing } = stagesOf(steps);
    assert.deepEqual(
      before.map(({ id }) => id),
      ['vault-open', 'vault-configure', 'vault-seed', 'secret-sync'],
    );
    assert.deepEqual(after, []);
    assert.deepEqual(
      closing.map(({ id }) => id),
      ['unlock', 'audit'],
    );
  });
});

describe('whom the environment names is told', () => {
  const targets = (...events: string[]) =>
    notifySchema.parse({ targets: { ops: { url: 'https://ops.example', events } } });
  const told = (plan: OperationPlan, intent: Intent, ...events: string[]): string[] =>
    completed(plan, intent, { notify: targets(...events) })
      .steps.filter(({ kind }) => kind === 'notify')
      .map(({ id, finally: when }) => `${id} ${when ?? ''}`.trim());
  const deploy = planOf({ web: { phase: 1 } });
  const other: [OperationPlan, Intent][] = [
    [{ ...deploy, operation: 'rollback' }, { verb: 'rollback' }],
    [
      { ...deploy, operation: 'destroy' },
      { verb: 'destroy', deleteData: false },
    ],
    [
      { ...deploy, operation: 'adopt' },
      { verb: 'adopt', services: [{ service: 'web', digest: 'd' }] },
    ],
  ];

  test('of what is wanted, and of nothing else', () => {
    assert.deepEqual(told(deploy, { verb: 'deploy' }, 'start', 'failure'), ['notify/start', 'notify failed']);
    assert.deepEqual(told(deploy, { verb: 'deploy' }, 'failure', 'end'), ['notify always']);
    assert.deepEqual(told(deploy, { verb: 'deploy' }, 'drift', 'gate'), []);
    for (const [plan, intent] of other) {
      assert.deepEqual(told(plan, intent, 'start', 'end'), ['notify/start', 'notify always'], intent.verb);
      assert.deepEqual(told(plan, intent, 'failure'), ['notify failed'], intent.verb);
    }
  });

  test('a repair is told by its drift run, an undo by its deployment', () => {
    assert.deepEqual(told(deploy, { verb: 'repair', findings: [] }, 'start', 'end', 'failure'), []);
    assert.deepEqual(told(deploy, { verb: 'undo' }, 'start', 'end', 'failure'), []);
  });

  test('that it begins: before the services, which do not depend on it; not where nothing is done', () => {
    const { steps } = completed(deploy, { verb: 'deploy' }, { notify: targets('start') });
    const apply = steps.find(({ id }) => id === 'apply/test/web');
    assert.deepEqual([apply?.dependsOn, apply?.after], [['namespace'], ['notify/start']]);
    assert.ok(stagesOf(steps).before.some(({ id }) => id === 'notify/start'));
    const idle = { ...planOf({ web: { phase: 1, action: 'unchanged' } }), prerequisites: false };
    assert.deepEqual(told(idle, { verb: 'deploy' }, 'start'), []);
  });

  test('how it ended after the version is known; without a plan whoever tells looks who wants to know', () => {
    const { steps } = completed(deploy, { verb: 'deploy' }, { notify: targets('end') });
    assert.deepEqual(
      stagesOf(steps).closing.map(({ id }) => id),
      ['unlock', 'schedule', 'version', 'notify', 'audit'],
    );
    for (const [, intent] of other)
      assert.deepEqual(
        stepsWithoutPlan(intent).map(({ kind }) => kind),
        ['notify', 'audit'],
      );
    assert.deepEqual(
      stepsWithoutPlan({ verb: 'undo' }).map(({ kind }) => kind),
      ['audit'],
    );
  });

  test('the plan names the events, and another digest comes with another step', () => {
    const plain = completed(deploy, { verb: 'deploy' }, { notify: notifySchema.parse({}) });
    assert.equal('notifications' in plain, false);
    assert.equal(plain.digest, completed(deploy, { verb: 'deploy' }).digest);
    const start = completed(deploy, { verb: 'deploy' }, { notify: targets('start') });
    assert.deepEqual(start.notifications, ['start']);
    assert.notEqual(start.digest, plain.digest);
  });
});

describe('the digest of a complete plan', () => {
  const plan = planOf({ web: { phase: 1 } });
  test('is another one with other steps, and the same with other words', () => {
    const { digest } = completed(plan, { verb: 'deploy' });
    assert.match(digest, /^[0-9a-f]{16}$/);
    assert.notEqual(completed({ ...plan, prerequisites: false }, { verb: 'deploy' }).digest, digest);
    assert.notEqual(completed(plan, { verb: 'rollback' }).digest, digest);
    const reworded = structuredClone(plan);
    reworded.services[0]!.steps[0]!.reason = 'said otherwise';
    assert.equal(completed(reworded, { verb: 'deploy' }).digest, digest);
  });

  test('of a repair is over what was found, not over when', () => {
    const of = (valueDigest: string) =>
      completed(plan, { verb: 'repair', findings: [{ ...finding('field'), valueDigest }] }).digest;
    assert.equal(of('a'), of('a'));
    assert.notEqual(of('a'), of('b'));
  });
});

test('a plan of the version before is completed as that version carried it out; a complete one stays as it is', () => {
  const back = planOf({ web: { phase: 1, action: 'rollback' }, flyway: { phase: 1, job: true } });
  const kinds = withSteps(back, { verb: 'repair', findings: [] }).steps.map(({ kind }) => kind);
  assert.deepEqual(kinds, ['field-patch', 'apply', 'verify', 'apply', 'verify', 'services', 'unlock', 'audit']);
  const whole = completedAs(back, { verb: 'rollback' });
  assert.deepEqual(withSteps(whole, { verb: 'rollback' }).steps, whole.steps);
});
