/** Encrypted histories on a real engine: what it keeps, who can read it, how keys change and go missing. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { workflowBuild } from '../../src/clients/temporal/bundle.ts';
import { keyIdOf } from '../../src/clients/temporal/encryption/codec.ts';
import { historyCodec } from '../../src/clients/temporal/encryption/index.ts';
import { withoutKeys } from '../../src/clients/temporal/encryption/readable.ts';
import { agreeOnKeys, forgetKey, readKeyRecord } from '../../src/clients/temporal/encryption/record.ts';
import { type KeyRing, withNewKey } from '../../src/clients/temporal/encryption/ring.ts';
import { readRing } from '../../src/clients/temporal/encryption/source.ts';
import { HistoryKeysError } from '../../src/clients/temporal/errors.ts';
import { readOperation } from '../../src/clients/temporal/histories/operation-history.ts';
import {
  bindCluster,
  createSchedules,
  followDeployment,
  keysOf,
  startOrAttach,
} from '../../src/clients/temporal/index.ts';
import { lockHolderOf } from '../../src/clients/temporal/lock.ts';
import { operationsOf } from '../../src/clients/temporal/overview.ts';
import { readConfig } from '../../src/config.ts';
import { FAILURES } from '../../src/contract/failures.ts';
import { SIGNALS, UPDATES } from '../../src/contract/messages.ts';
import { taskQueueOf } from '../../src/contract/names.ts';
import type { DeployInput } from '../../src/contract/operations/deploy.ts';
import { openHistories } from '../../src/worker/histories.ts';
import { usageOf } from '../../src/cli/codec/usage.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';
import { planOf, recordingActivities } from '../support/plans.ts';

let engine: TestEngine;
let folder: string;
let clusters = 0;
const settings = (name = 'keys.json') => ({
  environment: 'test',
  keysFile: join(folder, name),
  cwd: folder,
  mode: 'encrypt' as const,
});
const connection = (name?: string) => ({
  address: engine.address,
  namespace: engine.client.options.namespace,
  ...(name === undefined ? {} : { encryption: settings(name) }),
});
const write = (ring: KeyRing, name = 'keys.json'): Promise<void> =>
  writeFile(join(folder, name), JSON.stringify(ring), { mode: 0o600 });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-encryption-'));
  await write(withNewKey(undefined, Date.now(), Date.now()).ring);
  engine = await startTestEngine({ encryption: settings() });
});
after(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

function input(): DeployInput {
  clusters += 1;
  return {
    environment: 'test',
    imageTags: { payments: 'sha256:of-the-image' },
    clusterUid: `${String(clusters).padStart(8, '0')}-uid`,
    requestedBy: 'alice@laptop',
  };
}

/** Everything that the engine stores of the runs, read from its database. */
async function raw(client: Client): Promise<string> {
  const { namespace } = client.options;
  const { executions } = await client.workflowService.listWorkflowExecutions({ namespace });
  const parts: unknown[] = [executions];
  for (const { execution } of executions)
    parts.push(await client.workflowService.getWorkflowExecutionHistory({ namespace, execution: execution ?? {} }));
  return textsIn(parts).join('\n');
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('latin1')];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsIn(inner)]);
}

describe('encrypted histories', () => {
  test('the engine keeps no name and no value of a deployment, and those with the key see all of it', async () => {
    assert.deepEqual(keysOf(engine.client), await readRing(settings()));
    const plan = planOf({ payments: { phase: 1 }, ledger: { phase: 2, dependsOn: ['payments'] } });
    let attempts = 0;
    const { activities } = recordingActivities(plan, {
      applyRelease: ({ step }) => {
        attempts += 1;
        if (attempts === 1) return Promise.reject(new Error('the registry is away'));
        return step.name === 'ledger'
          ? Promise.reject(ApplicationFailure.nonRetryable('ledger was rejected', FAILURES.chartInvalid))
          : Promise.resolve({ changed: true, revision: 1, seconds: 0 });
      },
    });
    const seen: string[] = [];
    const { run, result } = await engine.withWorker(activities, async () => {
      const started = await startOrAttach(engine.client, 'deploy', input(), 'refuse');
      const ended = await followDeployment(engine.client, started, { onEvent: ({ kind }) => seen.push(kind) });
      return { run: started, result: ended };
    });
    assert.deepEqual(
      result.services.map(({ name, state }) => [name, state]),
      [
        ['payments', 'healthy'],
        ['ledger', 'failed'],
      ],
    );
    assert.match(JSON.stringify(result.services), /ledger was rejected/);
    assert.ok(seen.includes('plan') && seen.includes('progress'));
    const history = await readOperation(engine.client, run);
    assert.equal(history?.requestedBy, 'alice@laptop');
    assert.deepEqual(
      history.retries.map(({ message }) => message),
      ['the registry is away'],
    );

    const kept = await raw(engine.client);
    assert.match(kept, /binary\/encrypted/);
    for (const word of ['payments', 'ledger', 'alice', 'of-the-image', 'registry', 'rejected', 'database'])
      assert.ok(!kept.includes(word), `${word} is plain in the engine's database`);
  });

  test('keys change while it runs, the Temporal UI steers it in plain JSON, and a worker with the wrong key leaves it alone', async () => {
    const plan = planOf({ web: { phase: 1 }, late: { phase: 2, dependsOn: ['web'] } });
    const hold = Promise.withResolvers<undefined>();
    const { activities, log } = recordingActivities(plan, {
      applyRelease: async ({ step }) => {
        if (step.name === 'web') await hold.promise;
        return { changed: true, revision: 1, seconds: 0 };
      },
    });
    const before = await readRing(settings());
    const [old] = before.keys;
    const plain = withoutKeys(engine.client).workflow;
    const pauses = { verb: 'pause', by: 'bob', reason: 'lunch' };
    const run = await engine.withWorker(activities, async () => {
      const started = await startOrAttach(engine.client, 'deploy', input(), 'refuse');
      await waitUntil('the plan', { timeoutMs: 60_000, intervalMs: 50 }, async () =>
        (await lockHolderOf(engine.client, started.workflowId)) ? true : undefined,
      );
      await plain
        .getHandle(started.workflowId)
        .executeUpdate(UPDATES.steer, { args: [{ ...pauses, at: 'late' }] })
        .catch((error: unknown) => {
          // Its answer is encrypted, as everything that is written: the UI reads it by the codec server.
          assert.match(String(error), /Unknown encoding: binary\/encrypted/);
        });
      const { ring, id } = withNewKey(before, Date.now(), Date.now());
      await write(ring);
      await waitUntil('the new key', { timeoutMs: 60_000, intervalMs: 200 }, async () => {
        // Every signal is answered by a change of the memo.
        await plain.getHandle(started.workflowId).signal(SIGNALS.steer, { verb: 'resume', by: 'bob' });
        await plain.getHandle(started.workflowId).signal(SIGNALS.steer, { ...pauses, at: 'late' });
        const { events } = await plain.getHandle(started.workflowId).fetchHistory();
        const keys = (events ?? []).flatMap(({ workflowPropertiesModifiedEventAttributes: memo }) =>
          Object.values(memo?.upsertedMemo?.fields ?? {}).map((payload) => keyIdOf(payload)),
        );
        return keys.includes(id) ? true : undefined;
      });
      await waitUntil('the pause', { timeoutMs: 60_000, intervalMs: 100 }, async () => {
        const holder = await lockHolderOf(engine.client, started.workflowId);
        return /bob.*lunch|lunch.*bob/.test(holder?.held?.join('\n') ?? '') ? true : undefined;
      });
      hold.resolve(undefined);
      await waitUntil('the worker is let go with the pause kept', { timeoutMs: 60_000, intervalMs: 50 }, () =>
        Promise.resolve(log.includes('healthy web') ? true : undefined),
      );
      return started;
    });

    // Somebody starts a worker with keys of another environment.
    const foreign = withNewKey(undefined, Date.now(), Date.now()).ring;
    await write(foreign, 'foreign.json');
    await agreeOnKeys(engine.client, 'test', await readRing(settings()));
    const stopped: string[] = [];
    const wrong = { ...connection(), encryption: settings('foreign.json') };
    await assert.rejects(
      openHistories('test', wrong, engine, { say: () => undefined, stop: () => stopped.push('x') }),
      (error) => error instanceof HistoryKeysError && error.message.includes(old?.id ?? '?'),
    );
    // Or its file is exchanged for another one while it runs.
    const said: string[] = [];
    await forgetKeys(engine.client);
    const histories = await openHistories('test', wrong, engine, {
      say: (text) => said.push(text),
      stop: () => stopped.push('stopped'),
      patienceMilliseconds: 500,
    });
    await agreeOnKeys(engine.client, 'test', { keys: [...(await readRing(settings())).keys, ...foreign.keys] });
    const native = await NativeConnection.connect({ address: engine.address });
    const { path } = await workflowBuild(readConfig().repoRoot, readConfig().stateRoot, { encrypted: true });
    const worker = await Worker.create({
      connection: native,
      namespace: engine.client.options.namespace,
      taskQueue: taskQueueOf('test'),
      workflowBundle: { codePath: path },
      activities,
      dataConverter: { payloadCodecs: [histories.codec] },
    });
    await worker.runUntil(async () => {
      await plain.getHandle(run.workflowId).signal(SIGNALS.steer, { verb: 'resume', by: 'bob' });
      await waitUntil('it stops', { timeoutMs: 120_000, intervalMs: 50 }, () =>
        Promise.resolve(stopped.length > 0 ? true : undefined),
      );
    });
    await native.close();
    assert.deepEqual(stopped, ['stopped']);
    assert.throws(() => histories.throwIfUnfit(), HistoryKeysError);
    assert.match(said.join('\n'), /This worker stops: .*which (is|are) not among the keys here/);
    // The lock is where it was, and a worker with the keys carries on.
    assert.equal((await lockHolderOf(engine.client, run.workflowId))?.runId, run.runId);
    const result = await engine.withWorker(activities, () =>
      followDeployment(engine.client, run, { onEvent: () => undefined }),
    );
    assert.equal(result.outcome, 'succeeded', JSON.stringify(result));
    const usage = await usageOf(engine.client, 'test', await readRing(settings()));
    assert.ok((usage.get(old?.id ?? '')?.workflows ?? 0) > 0, 'the old key is still needed');
  });

  test('a history of it is replayed with the same workflow code', async () => {
    const { events } = await engine.client.workflow.getHandle(`deploy/test/00000001`).fetchHistory();
    const { codec } = await historyCodec(connection('keys.json'));
    const { repoRoot, stateRoot } = readConfig();
    const { path: codePath } = await workflowBuild(repoRoot, stateRoot, { encrypted: true });
    const results = Worker.runReplayHistories(
      { workflowBundle: { codePath }, dataConverter: { payloadCodecs: [codec] } },
      [{ workflowId: 'deploy/test/00000001', history: { events } }],
    );
    for await (const { error } of results) assert.equal(error, undefined, error?.message);
  });

  test('a command of another environment sees that there are operations, and is told why it cannot read them', async () => {
    const { ring } = withNewKey(undefined, Date.now(), Date.now());
    await write(ring, 'other.json');
    const { codec } = await historyCodec({ encryption: { ...settings('other.json'), environment: 'other' } });
    const { connection: shared, options } = engine.client;
    const other = new Client({
      connection: shared,
      namespace: options.namespace,
      dataConverter: { payloadCodecs: [codec] },
    });
    const operations = await operationsOf(other);
    assert.ok(operations.length >= 2);
    assert.deepEqual([...new Set(operations.map(({ requestedBy }) => requestedBy))], ['(encrypted)']);
    const [operation] = operations;
    await assert.rejects(
      readOperation(other, operation as { workflowId: string; runId: string }),
      /is encrypted with key .*, which is not among the keys of environment "other" here/,
    );
    // Where every key is lost: cluster and schedule are still known, and the schedule is written anew.
    const binding = {
      environment: 'test',
      uid: 'u',
      server: 'https://s',
      boundBy: 'alice',
      at: new Date().toISOString(),
    };
    await bindCluster(engine.client, binding);
    assert.deepEqual(await bindCluster(other, binding), binding);
    const wanted = {
      id: 'drift/test/00000001',
      everySeconds: 900,
      input: { environment: 'test', mode: 'report' },
      summary: 'drift',
    } as Parameters<ReturnType<typeof createSchedules>['ensure']>[0];
    assert.equal(await createSchedules(engine.client).ensure(wanted), 'created');
    assert.equal(await createSchedules(engine.client).ensure(wanted), 'unchanged');
    assert.equal((await createSchedules(other).describe(wanted.id))?.input, undefined);
    assert.equal(await createSchedules(other).ensure(wanted), 'updated');
    assert.deepEqual((await createSchedules(other).describe(wanted.id))?.input, wanted.input);
  });

  test('a worker whose environment is plain refuses to work on encrypted histories', async () => {
    await agreeOnKeys(engine.client, 'test', {
      keys: [...(await readRing(settings())).keys, ...(await readRing(settings('foreign.json'))).keys],
    });
    await assert.rejects(
      openHistories('test', connection(), engine, { say: () => undefined, stop: () => undefined }),
      /the environment's file here says nothing of encryption/,
    );
  });
});

async function forgetKeys(client: Client): Promise<void> {
  for (const id of Object.keys((await readKeyRecord(client, 'test')).keys)) await forgetKey(client, 'test', id);
}
