/** Whether steps that wait for all services go on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ServiceOutcome } from '../../src/contract/operations/deploy.ts';
import type { OperationStep } from '../../src/contract/operations/steps.ts';
import { DEPENDENCY_FAILED, DEPENDENCY_SKIPPED, SKIPPED_BY_REQUEST } from '../../src/contract/operations/states.ts';
import { endedWell, isUnfinished } from '../../src/plan/operation-ends.ts';
import { applyEvent, type DeploymentProgress, emptyProgress } from '../../src/plan/progress.ts';
import { planOf } from '../support/plans.ts';

const STEPS: OperationStep[] = [
  { id: 'services', kind: 'services', dependsOn: [], reason: 'all at once' },
  { id: 'apply/test/a', kind: 'apply', service: 'a', dependsOn: [], reason: 'not there yet' },
];

/** @param end of the service a; the service b was not selected */
function viewOf(end: Pick<ServiceOutcome, 'state' | 'failure'>): DeploymentProgress {
  const plan = { ...planOf({ a: { phase: 1 }, b: { phase: 1, action: 'excluded' } }), steps: STEPS };
  const planned = applyEvent(emptyProgress(0), { kind: 'plan', plan, at: 1 });
  const outcome: ServiceOutcome = { name: 'a', phase: 1, seconds: 1, changed: true, ...end };
  return applyEvent(planned, { kind: 'progress', event: { service: 'a', state: end.state, at: 2, outcome } });
}
const skipped = (type: string): Pick<ServiceOutcome, 'state' | 'failure'> => ({
  state: 'skipped',
  failure: { type, message: 'why' },
});

describe('what waits for all services', () => {
  const cases: [string, Pick<ServiceOutcome, 'state' | 'failure'>, boolean][] = [
    ['goes on where others were not selected', { state: 'healthy' }, true],
    ['goes on where somebody has skipped one', skipped(SKIPPED_BY_REQUEST), true],
    ['goes on where one cannot do without what was skipped', skipped(DEPENDENCY_SKIPPED), true],
    ['does not where one failed', { state: 'failed', failure: { type: 'X', message: 'why' } }, false],
    ['does not where a dependency failed', skipped(DEPENDENCY_FAILED), false],
  ];
  for (const [name, end, well] of cases)
    test(name, () => {
      assert.equal(endedWell(viewOf(end), 'services'), well);
    });
});

test('a step of a service ends as the service does', () => {
  assert.equal(endedWell(viewOf({ state: 'healthy' }), 'apply/test/a'), true);
  assert.equal(endedWell(viewOf(skipped(SKIPPED_BY_REQUEST)), 'apply/test/a'), false);
});

test('what was never planned, or was stopped, is unfinished', () => {
  assert.equal(isUnfinished(emptyProgress(0)), true);
  assert.equal(isUnfinished(viewOf(skipped('Stopped'))), true);
  assert.equal(isUnfinished(viewOf({ state: 'healthy' })), false);
});
