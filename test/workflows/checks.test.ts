/** The verification stage of a deployment, on a real engine. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { followDeployment, startOrAttach } from '../../src/clients/temporal/index.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { PlannedCheck } from '../../src/contract/checks.ts';
import type { OperationResult } from '../../src/contract/operations/deploy.ts';
import { FAILURES } from '../../src/contract/failures.ts';
import type { DeploymentEvent } from '../../src/plan/progress.ts';
import type { OperationPlan } from '../../src/contract/operations/plan.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { planOf, recordingActivities } from '../support/plans.ts';

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(() => engine.close());

const check = (service: string, name: string, more: Partial<PlannedCheck> = {}): PlannedCheck => ({
  service,
  name,
  kind: 'http',
  reason: name,
  timeoutSeconds: 5,
  digest: '0123456789abcdef',
  ...more,
});
const CHECKS = [check('api', 'answers'), check('web', 'page'), check('web', 'metrics', { skipped: 'nobody scrapes' })];
/** `web/page` does not pass. */
const pageFails: Partial<Activities> = {
  runCheck: ({ check: { service, name } }) =>
    name === 'page'
      ? Promise.reject(ApplicationFailure.nonRetryable(`Check ${service}/${name}: no page`, FAILURES.checkFailed))
      : Promise.resolve({ text: 'as expected', seconds: 0 }),
};

async function deploy(
  more: Partial<OperationPlan> = {},
  overrides: Partial<Activities> = {},
): Promise<{ result: OperationResult; log: string[]; told: string[] }> {
  const plan: OperationPlan = {
    ...planOf({ api: { phase: 1, action: 'upgrade' }, web: { phase: 2, dependsOn: ['api'], action: 'upgrade' } }),
    prerequisites: false,
    checks: CHECKS,
    ...more,
  };
  const { activities, log } = recordingActivities(plan, overrides);
  const told: string[] = [];
  const onEvent = (event: DeploymentEvent): void => {
    if (event.kind !== 'check') return;
    const { service, name, state, text = '' } = event.check;
    told.push(`${service}/${name} ${state} ${text}`.trim());
  };
  const input = {
    environment: 'test',
    clusterUid: newClusterUid(),
    requestedBy: 'tester@host',
    imageTags: {},
  };
  const result = await engine.withWorker(activities, async () => {
    const run = await startOrAttach(engine.client, 'deploy', input, 'refuse');
    return followDeployment(engine.client, run, { onEvent });
  });
  return { result, log, told };
}

test('checks are made once all services are healthy, and a version is what has passed them', async () => {
  const { result, log, told } = await deploy();
  assert.equal(result.outcome, 'succeeded');
  assert.deepEqual(
    result.checks?.map(({ service, name, passed, text }) => `${service}/${name} ${passed} ${text}`),
    ['api/answers true as expected', 'web/page true as expected'],
  );
  assert.deepEqual(told.toSorted(), [
    'api/answers passed as expected',
    'api/answers running',
    'web/page passed as expected',
    'web/page running',
  ]);
  const order = log.filter((line) => /^(healthy|check|version)/.test(line));
  assert.deepEqual(order.slice(0, 2), ['healthy api', 'healthy web']);
  assert.deepEqual(order.slice(2, 4).sort(), ['check api/answers', 'check web/page']);
  assert.equal(order[4], 'version of deploy');
});

test('a deployment that finds nothing to do makes them as well: what failed before is not well because nothing changed', async () => {
  const { services } = planOf({ api: { phase: 1, action: 'unchanged' }, web: { phase: 2, action: 'unchanged' } });
  assert.equal((await deploy({ services })).result.outcome, 'unchanged');
  assert.equal((await deploy({ services }, pageFails)).result.outcome, 'failed');
});

test('one that does not pass is a failed deployment with its evidence; the others are made, no version is', async () => {
  const { result, log, told } = await deploy({}, pageFails);
  assert.equal(result.outcome, 'failed');
  assert.ok(told.includes('web/page failed Check web/page: no page'), told.join('; '));
  assert.equal(result.failure?.type, FAILURES.checkFailed);
  assert.equal(
    result.failure?.message,
    'All services are healthy, but 1 of 2 checks has not passed:\nCheck web/page: no page (evidence: /evidence/web.txt)',
  );
  assert.deepEqual(
    result.services.map(({ state }) => state),
    ['healthy', 'healthy'],
  );
  assert.equal(result.checks?.length, 2);
  assert.ok(log.includes('evidence web'));
  assert.ok(!log.some((line) => line.startsWith('version')));
  assert.ok(log.includes('result failed'));
});

test('with onFailure: rollback, what the deployment has changed is taken back', async () => {
  const asked: string[][] = [];
  const { result } = await deploy(
    { onFailure: 'rollback' },
    {
      ...pageFails,
      planUndo: ({ changed }) => {
        asked.push(changed);
        return Promise.resolve({ ...planOf({ web: { phase: 1, action: 'rollback' } }), operation: 'rollback' });
      },
    },
  );
  assert.equal(result.outcome, 'failed');
  assert.deepEqual(asked, [['api', 'web']]);
  assert.equal(result.undone?.outcome, 'succeeded');
});

test('none is made where a service has failed', async () => {
  const { result, log } = await deploy(
    {},
    { awaitHealthy: () => Promise.reject(ApplicationFailure.nonRetryable('ill', FAILURES.notHealthyInTime)) },
  );
  assert.equal(result.outcome, 'failed');
  assert.equal(result.failure, undefined);
  assert.ok(!log.some((line) => line.startsWith('check')));
});

test('one that could not be made at all fails the deployment with the reason', async () => {
  const { result } = await deploy(
    {},
    { runCheck: () => Promise.reject(ApplicationFailure.nonRetryable('another catalog', FAILURES.planOutdated)) },
  );
  assert.equal(result.outcome, 'failed');
  assert.deepEqual(result.failure, { type: FAILURES.planOutdated, message: 'another catalog' });
});
