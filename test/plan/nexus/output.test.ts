import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationResult, ServiceOutcome } from '../../../src/contract/operations/deploy.ts';
import { operationOutput } from '../../../src/plan/nexus/output.ts';

const service = (name: string, more: Partial<ServiceOutcome> = {}): ServiceOutcome => ({
  ...{ name, phase: 1, state: 'unchanged', seconds: 0, changed: false },
  ...more,
});
const result = (services: ServiceOutcome[], more: Partial<OperationResult> = {}): OperationResult => ({
  ...{ operation: 'deploy', environment: 'shop', workflowId: 'w', runId: 'r', outcome: 'failed', seconds: 1 },
  ...{ criticalPathSeconds: 1, criticalPath: [], planDigest: 'd', services },
  ...more,
});
const by = { requestedBy: 'nexus:a/b', attached: false };

test('a caller gets how each service ended, and what went wrong, a line each', () => {
  const failure = { type: 'NotHealthyInTime', message: 'no\nanswer', evidence: '/x', summary: ['secret?'] };
  const checks = [
    { service: 'web', name: 'page', kind: 'http' as const, passed: false, text: '500', seconds: 1 },
    { service: 'web', name: 'job', kind: 'job' as const, passed: true, text: 'done', seconds: 1 },
  ];
  const output = operationOutput(
    result([service('web', { state: 'failed', failure })], {
      checks,
      version: 4,
      promotedFrom: { environment: 'qa', version: 2, clusterUid: 'u' },
      failure: { type: 'CheckFailed', message: 'a check' },
      notes: ['note'],
    }),
    { ...by, notes: ['first'] },
  );
  assert.deepEqual(output.services, [
    { name: 'web', state: 'failed', changed: false, seconds: 0, failure: 'NotHealthyInTime: no answer' },
  ]);
  assert.deepEqual(output.failedChecks, ['web/page: 500']);
  assert.deepEqual(output.notes, ['first', 'CheckFailed: a check', 'note']);
  assert.deepEqual([output.version, output.promotedFrom], [4, { environment: 'qa', version: 2 }]);
});

test('of thousands of services it gets those that matter, and never more than the engine hands on as it is', () => {
  const many = Array.from({ length: 5000 }, (_, at) =>
    service(
      `service-${at}`,
      at % 7 === 0 ? { state: 'failed', failure: { type: 'X', message: 'y'.repeat(5000) } } : {},
    ),
  );
  const output = operationOutput(result(many, { notes: many.map(({ name }) => name.repeat(100)) }), by);
  assert.ok(output.services.every(({ state }) => state === 'failed'));
  assert.match(output.notes[0] ?? '', /^4750 more services/);
  assert.match(output.notes.at(-1) ?? '', /^and \d+ more$/);
  assert.ok(JSON.stringify(output).length < 128 * 1024);
});
