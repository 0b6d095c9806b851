/** Growing volumes as steps of a plan, in words, under quotas, and on the way back. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DecidedGrowth } from '../../../src/plan/growing/decide.ts';
import { withReplacedSets } from '../../../src/plan/growing/changes.ts';
import { withSizesKept } from '../../../src/plan/growing/kept.ts';
import { orphanedPods } from '../../../src/plan/growing/orphaned.ts';
import { withGrowth } from '../../../src/plan/growing/plan.ts';
import { quotaProblems } from '../../../src/plan/growing/quota.ts';
import { resizeState } from '../../../src/plan/growing/resize.ts';
import { seenClaim } from '../../../src/plan/growing/live.ts';
import { growthWords, refusedExpansion } from '../../../src/plan/growing/words.ts';
import { compileSteps } from '../../../src/plan/steps/compile.ts';
import { completed } from '../../../src/plan/steps/complete.ts';
import { planOf } from '../../support/plans.ts';
import { type ClaimOptions, claimManifest, liveClaim, liveSet, setManifest } from './sample.ts';

const growth = (more: Partial<DecidedGrowth> = {}): DecidedGrowth => ({
  claims: [{ name: 'data-db-0', from: '1Gi', to: '2Gi', storageClass: 'fast' }],
  sets: [{ name: 'db', sizes: { data: '2Gi' } }],
  refused: [],
  notes: [],
  ...more,
});
const plan = planOf({
  db: { phase: 1, action: 'upgrade' },
  web: { phase: 2, dependsOn: ['db'], action: 'upgrade' },
});
const of = (found: DecidedGrowth): Map<string, DecidedGrowth> => new Map([['test/db', found]]);

describe('growing volumes in a plan', () => {
  test('claims first, then the StatefulSet goes, then the release is applied; each waits for the one before', () => {
    const steps = compileSteps(withGrowth(plan, of(growth())), { verb: 'deploy' });
    const own = steps.filter(({ service }) => service === 'db');
    assert.deepEqual(
      own.map(({ id, dependsOn }) => [id, dependsOn]),
      [
        ['volume-expand/test/db', ['namespace']],
        ['statefulset-replace/test/db', ['volume-expand/test/db']],
        ['apply/test/db', ['statefulset-replace/test/db']],
        ['verify/test/db', ['apply/test/db']],
      ],
    );
    assert.match(own[0]!.reason, /^claim data-db-0 from 1Gi to 2Gi \(class fast\)$/);
    assert.deepEqual(own[1]!.sets, [{ name: 'db', sizes: { data: '2Gi' } }]);
    assert.deepEqual(steps.find(({ id }) => id === 'apply/test/web')?.dependsOn, ['namespace', 'verify/test/db']);
  });

  test('is said in a note', () => {
    assert.deepEqual(withGrowth(plan, of(growth({ notes: ['claim x stays'] }))).notes, [
      'db: claim data-db-0 from 1Gi to 2Gi (class fast) grows; StatefulSet db is replaced without its pods, which go on.',
      'db: claim x stays.',
    ]);
    assert.equal(growthWords(growth({ claims: [] })), 'StatefulSet db is replaced without its pods, which go on');
  });

  test('another size is another plan', () => {
    const digest = (to: string): string =>
      completed(withGrowth(plan, of(growth({ claims: [{ name: 'data-db-0', from: '1Gi', to }] }))), { verb: 'deploy' })
        .digest;
    assert.notEqual(digest('2Gi'), digest('3Gi'));
    assert.equal(digest('2Gi'), digest('2Gi'));
  });

  test('a plan without any is the plan that it was', () => {
    assert.equal(withGrowth(plan, new Map()), plan);
  });

  for (const action of ['unchanged', 'verify', 'excluded'] as const)
    test(`nothing grows, and nothing is refused, of a service that is ${action}`, () => {
      const left = planOf({ db: { phase: 1, action } });
      const steps = compileSteps(withGrowth(left, of(growth({ refused: ['no'] }))), { verb: 'deploy' });
      assert.ok(!steps.some(({ kind }) => kind === 'volume-expand' || kind === 'statefulset-replace'));
    });

  test('everything that is refused is named at once', () => {
    const both = new Map([
      ['test/db', growth({ refused: ['first', 'second'] })],
      ['test/web', growth({ refused: ['third'] })],
    ]);
    assert.throws(() => withGrowth(plan, both), {
      name: 'PlanRefusedError',
      exitCode: 3,
      message: /test\/db: first\n {2}test\/db: second\n {2}test\/web: third\nNothing was changed\./,
    });
  });

  test('a comparison stops nowhere for a size; for anything else it does', () => {
    const change = (field: string, name = 'db') => ({
      action: 'replace' as const,
      kind: 'StatefulSet',
      name,
      fields: [],
      immutable: [field],
      blocked: 'cannot be changed in place',
    });
    const size = 'spec.volumeClaimTemplates[name=data].spec.resources.requests.storage';
    const [grown, other, selector] = withReplacedSets([change(size), change(size, 'other'), change('spec.selector')], {
      grow: growth(),
    });
    assert.equal(grown?.blocked, undefined);
    assert.match(grown?.note ?? '', /replaced without its pods/);
    assert.equal(other?.blocked, 'cannot be changed in place');
    assert.equal(selector?.blocked, 'cannot be changed in place');
  });

  test('where a class forbids it, what to do is said with its name', () => {
    const said =
      'PATCH /api/v1/x: persistentvolumeclaims "data-db-0" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
    const text = refusedExpansion(growth().claims[0]!, said);
    assert.match(text, /^claim data-db-0 cannot grow from 1Gi to 2Gi: persistentvolumeclaims "data-db-0" is forbidden/);
    assert.match(text, /kubectl patch storageclass fast --patch '\{"allowVolumeExpansion": true\}'/);
    assert.match(text, /or write 1Gi again$/);
    assert.doesNotMatch(refusedExpansion(growth().claims[0]!, 'exceeded quota'), /storageclass/);
  });
});

describe('quotas', () => {
  const quota = (hard: Record<string, string>, used: Record<string, string>): object => ({
    metadata: { name: 'q' },
    status: { hard, used },
  });
  const all = 'requests.storage';
  const fast = 'fast.storageclass.storage.k8s.io/requests.storage';
  const claims = [
    { to: '3Gi', request: '1Gi', storageClass: 'fast' },
    { to: '2Gi', request: '2Gi', storageClass: 'fast' },
    { to: '2Gi', request: '1Gi' },
  ];
  for (const [name, hard, used, says] of [
    ['no quota on storage', { pods: '1' }, { pods: '1' }, undefined],
    ['just enough', { [all]: '10Gi' }, { [all]: '7Gi' }, undefined],
    [
      'a byte too little',
      { [all]: '10Gi' },
      { [all]: '7516192769' },
      /quota q leaves too little: requests.storage 7516192769 of 10Gi is used, and 3Gi more would be/,
    ],
    ['of a class', { [fast]: '3Gi' }, { [fast]: '2Gi' }, /fast\.storageclass.* and 2Gi more/],
    ['of another class', { 'slow.storageclass.storage.k8s.io/requests.storage': '1Gi' }, {}, undefined],
  ] as const)
    test(name, () => {
      const found = quotaProblems([quota(hard, used), 'nothing'], claims).join('\n');
      if (says === undefined) assert.equal(found, '');
      else assert.match(found, says);
    });
});

describe('the way back', () => {
  const live = (set: string, ...claims: ClaimOptions[]) => ({
    sets: [liveSet({ size: set })],
    claims: claims.map(liveClaim),
  });

  test('a smaller revision keeps the sizes that are there, and says so; all else stays byte for byte', () => {
    const other = '---\n# Source: x/y.yaml\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: c}   # odd\n';
    const manifest = `${other}${setManifest({ size: '1Gi' })}${claimManifest('1Gi')}`;
    const { manifest: made, kept } = withSizesKept(manifest, live('2Gi', { name: 'files', request: '3Gi' }));
    assert.deepEqual(kept, [
      'claims data of StatefulSet db stay at 2Gi, that revision had 1Gi: volumes never shrink',
      'claim files stays at 3Gi, that revision had 1Gi: volumes never shrink',
    ]);
    assert.ok(made.startsWith(other));
    assert.match(made, /# Source: x\/templates\/release\.yaml/);
    assert.deepEqual(withSizesKept(made, live('2Gi', { name: 'files', request: '3Gi' })), { manifest: made, kept: [] });
  });

  test('a larger one grows nothing', () => {
    const { kept } = withSizesKept(setManifest({ size: '5Gi' }), live('2Gi'));
    assert.deepEqual(kept, [
      'claims data of StatefulSet db stay at 2Gi, that revision had 5Gi: they grow with a deployment',
    ]);
  });

  for (const [name, manifest] of [
    ['the same sizes', setManifest({ size: '2Gi' })],
    ['a StatefulSet that is gone', setManifest({ size: '1Gi', name: 'gone' })],
    ['a claim that is not there', claimManifest('1Gi')],
    ['nothing with a size', 'kind: Service\n'],
  ] as const)
    test(`${name}: byte for byte`, () => {
      assert.deepEqual(withSizesKept(manifest, live('2Gi')), { manifest, kept: [] });
    });
});

describe('what is left of a StatefulSet', () => {
  const pod = (more: object, name = 'db-0', label = name): object => ({
    metadata: { name, labels: { 'statefulset.kubernetes.io/pod-name': label }, ...more },
  });
  for (const [name, found, orphans] of [
    ['a pod in its place', pod({ ownerReferences: [{ controller: true, kind: 'StatefulSet' }] }), []],
    ['a pod without it', pod({ ownerReferences: [] }), ['db-0']],
    ['the same, as the API server leaves empty lists out', pod({}), ['db-0']],
    ['an owner that is no controller', pod({ ownerReferences: [{ kind: 'X' }] }), ['db-0']],
    ['one that is ending', pod({ deletionTimestamp: '2026-01-01T00:00:00Z' }), []],
    ['a pod of somebody, with a copied label', pod({}, 'debug', 'db-0'), []],
    ['a pod of a Deployment', { metadata: { name: 'web-1', labels: {} } }, []],
  ] as const)
    test(name, () => {
      assert.deepEqual(orphanedPods([found]), orphans);
    });
});

describe('a resize', () => {
  const pending = [{ type: 'FileSystemResizePending' }];
  for (const [name, claim, mounted, is] of [
    ['has happened', { capacity: '2Gi' }, true, /^done/],
    ['into a little more', { capacity: '2049Mi' }, true, /^done/],
    ['has not begun', { capacity: '1Gi' }, true, /^waiting claim data-db-0 has 1Gi of 2Gi: not begun yet/],
    ['runs', { capacity: '1Gi', conditions: [{ type: 'Resizing' }] }, true, /^waiting .*: Resizing/],
    [
      'waits for its node',
      { capacity: '1Gi', conditions: pending },
      true,
      /^waiting claim data-db-0: FileSystemResizePending/,
    ],
    ['waits for a pod', { capacity: '1Gi', conditions: pending }, false, /^unmounted/],
    [
      'is refused',
      {
        capacity: '1Gi',
        resizing: 'ControllerResizeInfeasible',
        conditions: [{ type: 'ControllerResizeError', message: 'too large' }],
      },
      true,
      /^failed .*ControllerResizeInfeasible: too large/,
    ],
    [
      'has failed, and is tried again',
      {
        capacity: '1Gi',
        resizing: 'ControllerResizeInProgress',
        conditions: [{ type: 'ControllerResizeError', message: 'busy' }],
      },
      true,
      /^waiting .*ControllerResizeInProgress: busy/,
    ],
  ] as const)
    test(name, () => {
      const seen = seenClaim(liveClaim({ request: '2Gi', ...(claim as ClaimOptions) }))!;
      const state = resizeState(seen, '2Gi', mounted);
      assert.match(`${state.state} ${'text' in state ? state.text : ''}`, is);
    });
});
