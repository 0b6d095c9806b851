import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Attested, DecideRequest, GateRule } from '../../../src/contract/admission/approvals.ts';
import { attestedBy, decisionPurpose, requestPurpose } from '../../../src/plan/admission/attestation.ts';
import { decisionProblem, type Judged, requestProblem, standing } from '../../../src/plan/admission/gate.ts';
import { admissionSteps, behind } from '../../../src/plan/admission/steps.ts';
import { compileSteps } from '../../../src/plan/steps/compile.ts';
import { planOf } from '../../support/plans.ts';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const rule: GateRule = {
  name: 'release',
  by: [{ user: 'ann' }, { group: 'managers' }],
  count: 2,
  notSelf: true,
  expiresSeconds: 3600,
  waitSeconds: 86_400,
};
const request: DecideRequest = { gate: 'release', digest: 'd1', decision: 'approve', attestation: 'csr' };
const attested = (user: string, more: Partial<Attested> = {}): Attested => ({
  user,
  groups: ['system:authenticated'],
  purpose: decisionPurpose('approve', 'release', 'd1', 'run'),
  at: '2026-11-30T11:30:00.000Z',
  ...more,
});
const judged = (more: Partial<Judged> = {}): Judged => ({
  request,
  rule,
  attested: attested('ann'),
  runId: 'run',
  requester: 'carl',
  decided: [],
  now: NOW,
  ...more,
});

describe('a decision at a gate', () => {
  const approved = [{ gate: 'release', digest: 'd1', by: 'ann', at: NOW - 60_000 }];
  const table: [what: string, judged: Judged, why: RegExp | undefined][] = [
    ['of a user who is named', judged(), undefined],
    ['of somebody of a group', judged({ attested: attested('bob', { groups: ['managers'] }) }), undefined],
    ['of a stranger', judged({ attested: attested('eve') }), /^eve is none of those who decide.*ann, group managers$/],
    ['of a user called like a group', judged({ attested: attested('managers') }), /none of those/],
    ['of a group called like a user', judged({ attested: attested('eve', { groups: ['ann'] }) }), /none of those/],
    ['of who asked', judged({ requester: 'ann' }), /^ann has asked for the operation/],
    ['of who asked, where that is allowed', judged({ requester: 'ann', rule: { ...rule, notSelf: false } }), undefined],
    ['where nobody knows who asked', judged({ requester: undefined }), /has not been proved/],
    ['made for another run', judged({ runId: 'other' }), /is for something else/],
    ['made for another plan', judged({ request: { ...request, digest: 'd2' } }), /is for something else/],
    ['made for another gate', judged({ request: { ...request, gate: 'other' } }), /is for something else/],
    ['a yes made a no', judged({ request: { ...request, decision: 'reject' } }), /is for something else/],
    [
      'a request made an approval',
      judged({ attested: attested('ann', { purpose: requestPurpose('run') }) }),
      /something else/,
    ],
    ['made too long ago', judged({ attested: attested('ann', { at: '2026-11-30T11:00:00.000Z' }) }), /has expired$/],
    ['twice', judged({ decided: approved }), /^ann has approved already/],
    ['again after it expired', judged({ decided: [{ ...approved[0], at: NOW - 3_600_000 } as never] }), undefined],
    ['again on another plan', judged({ decided: [{ ...approved[0], digest: 'd0' } as never] }), undefined],
    [
      'a no of who asked',
      judged({
        requester: 'ann',
        request: { ...request, decision: 'reject' },
        attested: attested('ann', { purpose: decisionPurpose('reject', 'release', 'd1', 'run') }),
      }),
      undefined,
    ],
    [
      'a no of a stranger',
      judged({
        request: { ...request, decision: 'reject' },
        attested: attested('eve', { purpose: decisionPurpose('reject', 'release', 'd1', 'run') }),
      }),
      /none of those/,
    ],
  ];
  for (const [what, given, why] of table)
    test(what, () => {
      const problem = decisionProblem(given);
      if (why === undefined) assert.equal(problem, undefined);
      else assert.match(problem ?? '', why);
    });
});

test('what is asked for has to be about what waits', () => {
  const waiting = { gate: 'release', digest: 'd1' };
  const table: [Partial<DecideRequest>, RegExp | undefined, typeof waiting | undefined][] = [
    [request, undefined, waiting],
    [request, /does not wait at a gate/, undefined],
    [{ ...request, gate: 'other' }, /waits at the gate release, not at other/, waiting],
    [{ ...request, digest: 'd0' }, /plan d0 is outdated: what waits is plan d1/, waiting],
    [{ ...request, decision: 'maybe' as 'approve' }, /approve or reject/, waiting],
    [{ ...request, attestation: '' }, /Nothing proves/, waiting],
    [{ ...request, decision: 'reject' }, /reason is needed/, waiting],
    [{ ...request, reason: 'two\nlines' }, /one line/, waiting],
    [{}, /waits at the gate release/, waiting],
  ];
  for (const [given, why, at] of table) {
    const problem = requestProblem(given, at);
    if (why === undefined) assert.equal(problem, undefined);
    else assert.match(problem ?? '', why);
  }
});

test('approvals stand for this plan, until they expire, one a person', () => {
  const at = NOW - 1000;
  const decided = [
    { gate: 'release', digest: 'd1', by: 'ann', at: at - 1000 },
    { gate: 'release', digest: 'd1', by: 'ann', at },
    { gate: 'release', digest: 'd0', by: 'bob', at },
    { gate: 'other', digest: 'd1', by: 'bob', at },
    { gate: 'release', digest: 'd1', by: 'carl', at: NOW - 3_600_000 },
  ];
  assert.deepEqual(standing(rule, 'd1', decided, NOW), [
    { by: 'ann', at: new Date(at).toISOString(), until: new Date(at + 3_600_000).toISOString() },
  ]);
});

describe('an attestation', () => {
  const object = (spec: object): unknown => ({
    metadata: { creationTimestamp: '2026-11-30T12:00:00Z' },
    spec: { username: 'ann', groups: ['a'], signerName: 'ananta.dev/request.run', ...spec },
  });
  test('is what the API server says', () => {
    assert.deepEqual(attestedBy(object({})), {
      user: 'ann',
      groups: ['a'],
      purpose: 'ananta.dev/request.run',
      at: '2026-11-30T12:00:00.000Z',
    });
  });
  for (const [what, spec] of [
    ['of nobody', { username: '' }],
    ['without a name', { username: undefined }],
    ['for another signer', { signerName: 'kubernetes.io/kube-apiserver-client' }],
    ['for a signer with a name like ours', { signerName: 'ananta.dev.example.com/request.run' }],
  ] as const)
    test(`${what} is none`, () => {
      assert.equal(attestedBy(object(spec)), undefined);
    });
});

describe('gates in a plan', () => {
  const gate = { ...rule, operations: ['deploy' as const] };
  const plan = planOf({ web: { phase: 2 }, api: { phase: 3, action: 'unchanged' } });
  const ids = (
    approvals: (typeof gate & { services?: string[]; phases?: number[] })[],
    operation = plan.operation,
  ): string[] =>
    compileSteps({ ...plan, operation }, { verb: 'deploy' }, { rules: { approvals } })
      .filter(({ kind }) => kind === 'gate')
      .map(({ id }) => id);
  test('stand before everything that is done', () => {
    const steps = compileSteps(plan, { verb: 'deploy' }, { rules: { approvals: [gate, { ...gate, name: 'second' }] } });
    assert.deepEqual(
      steps.slice(0, 4).map(({ id, dependsOn }) => [id, dependsOn]),
      [
        ['gate/release', []],
        ['gate/second', ['gate/release']],
        ['namespace', ['gate/second']],
        ['apply/test/web', ['namespace']],
      ],
    );
  });
  test('are those of what the plan changes', () => {
    assert.deepEqual(ids([{ ...gate, services: ['web'] }]), ['gate/release']);
    assert.deepEqual(ids([{ ...gate, services: ['api'] }]), []);
    assert.deepEqual(ids([{ ...gate, phases: [2] }]), ['gate/release']);
    assert.deepEqual(ids([{ ...gate, phases: [3] }]), []);
    assert.deepEqual(ids([{ ...gate, services: ['api'], phases: [2] }]), ['gate/release']);
    assert.deepEqual(ids([gate], 'repair'), []);
  });
  test('are none for what takes back a failed deployment, and none where nothing is done', () => {
    assert.deepEqual(
      admissionSteps(plan, { verb: 'undo' }, { approvals: [gate] }, compileSteps(plan, { verb: 'undo' })),
      [],
    );
    const idle = { ...planOf({ web: { phase: 1, action: 'unchanged' } }), prerequisites: false };
    assert.deepEqual(ids([]), []);
    assert.ok(
      !compileSteps(idle, { verb: 'deploy' }, { rules: { approvals: [gate] } }).some(({ kind }) => kind === 'gate'),
    );
    assert.deepEqual(behind([], []), []);
  });
});
