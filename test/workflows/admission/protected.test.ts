/**
 * A protected environment, and workflows that somebody starts with a client of his own: the workers refuse what the
 * command would.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import { createActivities } from '../../../src/activities/index.ts';
import type { DeployInput, OperationResult } from '../../../src/contract/operations/deploy.ts';
import { taskQueueOf } from '../../../src/contract/names.ts';
import type { Operation } from '../../../src/contract/operations/plan.ts';
import { startTestEngine, type TestEngine } from '../../support/engine.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { ownerRecord } from '../../support/owner.ts';
import { testScope } from '../../support/scope.ts';

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(async () => {
  await engine.close();
});

/** As the Temporal UI would: a type, a queue, an input, and nothing of ours in between. */
async function startByHand(type: string, input: object): Promise<OperationResult> {
  const workflowId = `by-hand-${process.hrtime.bigint()}`;
  try {
    return (await engine.client.workflow.execute(type, {
      taskQueue: taskQueueOf('sandbox'),
      workflowId,
      args: [input],
    })) as OperationResult;
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? (error.cause as { details?: unknown[] }) : {};
    if (cause.details?.[0] === undefined) throw error;
    return cause.details[0] as OperationResult;
  }
}

async function onProtected(work: (parts: FakeParts) => Promise<void>): Promise<void> {
  await withFakeClients(async (parts) => {
    parts.cluster.objects.set(...ownerRecord({ protected: true }));
    parts.cluster.objects.set('/api/v1/namespaces/vault-system', {
      metadata: { name: 'vault-system', uid: '1', resourceVersion: '1' },
    });
    await engine.withWorker(createActivities(parts.clients), () => work(parts), 'sandbox');
    assert.deepEqual([parts.cluster.applied, parts.cluster.removed], [[], []], 'something was touched');
  });
}

const input: DeployInput = { environment: 'sandbox', clusterUid: 'uid', requestedBy: 'them@there', imageTags: {} };

describe('started by hand', () => {
  const cases: [Operation, object, RegExp][] = [
    ['destroy', { ...input, deleteData: true }, /"sandbox" is protected: it is not taken down, whoever asks/],
    [
      'destroy',
      {
        ...input,
        deleteData: true,
        confirmation: { environment: 'sandbox', operation: 'destroy', requestedBy: 'them@there' },
      },
      /it is not taken down, whoever asks/,
    ],
    ['deploy', input, /deploy was started without its confirmation/],
    [
      'deploy',
      { ...input, confirmation: { environment: 'sandbox', operation: 'deploy', requestedBy: 'me@here' } },
      /given for something else/,
    ],
    ['rollback', { ...input, pastNoReturn: true }, /rollback was started without its confirmation/],
  ];
  test('each operation is refused by the step that plans it, and nothing is touched', async () => {
    await onProtected(async () => {
      for (const [operation, started, refusal] of cases) {
        const { outcome, failure, services } = await startByHand(operation, started);
        assert.deepEqual([outcome, failure?.type, services], ['failed', 'NotConfirmed', []], operation);
        assert.match(failure?.message ?? '', refusal);
      }
    });
  });

  test('a phase without its operation: its steps refuse by themselves', async () => {
    await onProtected(async ({ clients }) => {
      const activities = createActivities(clients, () => testScope());
      const run = { environment: 'sandbox', imageTags: {}, clusterUid: 'uid', workflowId: 'by-hand', runId: 'by-hand' };
      const refusal = { type: 'NotConfirmed', nonRetryable: true };
      await assert.rejects(activities.ensureNamespaces(run), refusal);
      await assert.rejects(activities.syncSecrets(run), refusal);
      await assert.rejects(activities.removeRemains({ run, deleteData: true }), refusal);
      await assert.rejects(activities.removeDriftSchedule(run), refusal);
    });
  });
});
