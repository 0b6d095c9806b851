import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { callerOf, callerText } from '../../../src/plan/nexus/caller.ts';

const TYPE = 'temporal.api.common.v1.Link.WorkflowEvent';
const link = (path: string, type = TYPE): { url: URL; type: string } => ({ url: new URL(`temporal://${path}`), type });
const good = link('/namespaces/payments/workflows/release%2F42/run-1/history?eventID=5');

describe('who has asked for a Nexus operation', () => {
  test('is who the engine has written into the one link of the request', () => {
    assert.deepEqual(callerOf([good]), { namespace: 'payments', workflowId: 'release/42', runId: 'run-1' });
    assert.equal(
      callerText({ namespace: 'payments', workflowId: 'release/42\n', runId: '' }),
      'nexus:payments/release/42?',
    );
  });

  for (const [why, links] of [
    ['there is no link: a request over HTTP', []],
    ['there are two, and nobody can say which one is the engine’s', [good, good]],
    ['it is of another type', [link('/namespaces/payments/workflows/a/b/history', 'mine')]],
    ['it is no address of the engine', [{ url: new URL('https://x/namespaces/a/workflows/b/c/history'), type: TYPE }]],
    ['it names no event', [link('/namespaces/payments/workflows/a/b')]],
    ['it is not to be decoded', [link('/namespaces/%E0%A4%A/workflows/a/b/history')]],
  ] as const)
    test(`is nobody where ${why}`, () => {
      assert.equal(callerOf(links), undefined);
    });
});
