/** What an operation says of itself at its end. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ServiceOutcome } from '../../src/contract/operations/deploy.ts';
import { DEPENDENCY_FAILED, STOPPED } from '../../src/contract/operations/states.ts';
import type { OperationStep } from '../../src/contract/operations/steps.ts';
import {
  failureText,
  isDue,
  type OperationEnd,
  operationResult,
  withAddition,
} from '../../src/plan/operation-result.ts';

const service = (name: string, state: ServiceOutcome['state'], more: Partial<ServiceOutcome> = {}): ServiceOutcome => ({
  name,
  phase: 1,
  state,
  seconds: 1,
  changed: state === 'healthy',
  ...more,
});
const ended = (end: Partial<OperationEnd>): OperationEnd => ({
  run: { operation: 'deploy', environment: 'e1', workflowId: 'deploy/e1/c', runId: 'r1' },
  seconds: 3,
  plan: undefined,
  services: [],
  added: {},
  failure: undefined,
  cancelled: false,
  supersededBy: undefined,
  ...end,
});
const why = { type: 'Unexpected', message: 'no plan' };

describe('the outcome', () => {
  const cases: [string, Partial<OperationEnd>, string][] = [
    ['nothing was to be done', { services: [service('a', 'unchanged'), service('b', 'skipped')] }, 'unchanged'],
    [
      'what was applied was skipped then',
      { services: [service('a', 'unchanged'), { ...service('b', 'skipped'), changed: true }] },
      'succeeded',
    ],
    ['something was applied', { services: [service('a', 'unchanged'), service('b', 'healthy')] }, 'succeeded'],
    ['a step of the platform changed something', { added: { outcome: 'succeeded' } }, 'succeeded'],
    ['a service failed', { services: [service('a', 'failed'), service('b', 'healthy')] }, 'failed'],
    ['planning failed', { failure: why }, 'failed'],
    ['a step has added a failure', { added: { failure: why } }, 'failed'],
    ['it was cancelled after a failure', { cancelled: true, services: [service('a', 'failed')] }, 'cancelled'],
    ['somebody took over', { supersededBy: 'ci@host', services: [service('a', 'healthy')] }, 'cancelled'],
  ];
  for (const [name, end, outcome] of cases)
    test(name, () => {
      const result = operationResult(ended(end));
      assert.equal(result.outcome, outcome);
      assert.deepEqual(result.failure, end.failure ?? end.added?.failure);
      assert.equal(result.supersededBy, end.supersededBy);
    });
});

test('notes of steps come before those of services, and evidence is collected', () => {
  let added = withAddition({}, { notes: ['first'], result: { evidence: [{ service: 'a', file: 'a.txt' }] } });
  added = withAddition(added, { notes: ['second'], result: { evidence: [{ service: 'b', file: 'b.txt' }] } });
  const result = operationResult(ended({ added, services: [service('a', 'healthy', { notes: ['third'] })] }));
  assert.deepEqual(result.notes, ['first', 'second', 'third']);
  assert.deepEqual(
    result.evidence?.map(({ file }) => file),
    ['a.txt', 'b.txt'],
  );
});

test('closing steps are due by outcome', () => {
  const step = (when: OperationStep['finally']): OperationStep => ({
    id: 'audit',
    kind: 'audit',
    reason: '',
    dependsOn: [],
    ...(when === undefined ? {} : { finally: when }),
  });
  const due = (end: Partial<OperationEnd>): string[] =>
    (['always', 'succeeded', 'failed', 'interrupted', undefined] as const)
      .filter((when) => isDue(step(when), operationResult(ended(end))))
      .map(String);
  assert.deepEqual(due({}), ['always', 'succeeded']);
  assert.deepEqual(due({ services: [service('a', 'healthy')] }), ['always', 'succeeded']);
  assert.deepEqual(due({ services: [service('a', 'failed')] }), ['always', 'failed']);
  assert.deepEqual(due({ failure: why }), ['always', 'failed', 'interrupted']);
  assert.deepEqual(due({ cancelled: true }), ['always', 'interrupted']);
});

test('a failure names every service with its evidence, and what was left undone', () => {
  const text = failureText(
    operationResult(
      ended({
        added: { evidence: [{ service: 'a', file: 'before.txt' }] },
        services: [
          service('a', 'failed', { failure: { type: 'T', message: 'no pods', evidence: 'after.txt' } }),
          service('b', 'skipped', { failure: { type: DEPENDENCY_FAILED, message: '' } }),
          service('c', 'skipped', { failure: { type: STOPPED, message: '' } }),
          service('d', 'skipped'),
        ],
      }),
    ),
  );
  assert.equal(
    text,
    'a: no pods (evidence: after.txt; before it was touched: before.txt)\n' +
      '1 services were skipped, because something they depend on failed\n1 services were not started any more',
  );
});
