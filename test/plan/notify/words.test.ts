import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationResult, RunRef } from '../../../src/contract/operations/deploy.ts';
import { endWords, startWords } from '../../../src/plan/notify/words.ts';
import { planOf } from '../../support/plans.ts';

const run: RunRef = {
  environment: 'prod',
  imageTags: {},
  clusterUid: 'uid',
  workflowId: 'deploy/prod/uid',
  runId: 'run-1',
  requestedBy: 'ann@host',
};
const ended = (more: Partial<OperationResult>): OperationResult => ({
  operation: 'deploy',
  environment: 'prod',
  workflowId: 'deploy/prod/uid',
  runId: 'run-1',
  outcome: 'succeeded',
  seconds: 61.4,
  criticalPathSeconds: 0,
  criticalPath: [],
  planDigest: 'abc',
  services: [],
  ...more,
});
const service = (name: string, more: object = {}) => ({
  name,
  phase: 1,
  state: 'healthy' as const,
  seconds: 1,
  changed: true,
  ...more,
});

test('that it begins: who asked, which plan, what it touches', () => {
  const plan = planOf({ web: { phase: 1, action: 'upgrade' }, api: { phase: 1, action: 'unchanged' } });
  assert.deepEqual(startWords(plan, run), {
    title: 'The deployment to prod begins',
    lines: ['Asked for by ann@host.', `Plan ${plan.digest}: 1 of 2 services.`, 'web (upgrade)'],
  });
  const many = planOf(Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`s${at}`, { phase: 1 }])));
  assert.match(startWords(many, run).lines.at(-1) ?? '', /^s0 \(install\), .*, and 10 more$/);
});

const ENDS: [result: Partial<OperationResult>, title: string, lines: string[]][] = [
  [
    { version: 18, services: [service('web'), service('api', { changed: false })] },
    'The deployment to prod succeeded after 61 s',
    ['Platform version 18.', 'Changed: web'],
  ],
  [{ outcome: 'unchanged' }, 'The deployment to prod found nothing to change after 61 s', ['Nothing was changed.']],
  [
    { operation: 'rollback', outcome: 'cancelled', supersededBy: 'bob@host' },
    'The rollback of prod was cancelled after 61 s',
    ['Superseded by bob@host.', 'Nothing was changed.'],
  ],
  [
    {
      operation: 'destroy',
      outcome: 'failed',
      failure: { type: 'Stuck', message: 'it does not go' },
      services: [service('web', { state: 'failed' })],
    },
    'The destruction of prod failed',
    ['it does not go', 'web: failed'],
  ],
];
for (const [result, title, lines] of ENDS)
  test(title, () => {
    assert.deepEqual(endWords(ended(result)), { title, lines });
  });
