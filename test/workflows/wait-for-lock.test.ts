/**
 * The command that waits for the lock, or wants it from whoever holds it, beside a real engine; what it leaves there
 * when it goes.
 */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { heartbeat } from '@temporalio/activity';
import { awaitLockFree } from '../../src/activities/lock/await-free.ts';
import { temporalScope } from '../../src/activities/scope.ts';
import type { CliContext } from '../../src/cli/shared/context.ts';
import { startDeployment } from '../../src/cli/deploy/deployment.ts';
import { requireFreeLock } from '../../src/cli/deploy/lock/require-free.ts';
import { waitForLock } from '../../src/cli/deploy/lock/wait.ts';
import type { Prerequisites } from '../../src/cli/deploy/prerequisites.ts';
import type { Session } from '../../src/cli/deploy/session.ts';
import { Interrupted } from '../../src/cli/deploy/interrupt.ts';
import { CliError } from '../../src/cli/shared/failure.ts';
import { createRenderer } from '../../src/cli/render/renderers.ts';
import { plainStyle } from '../../src/cli/shared/terminal.ts';
import {
  connectTemporal,
  type DeploymentHandle,
  followDeployment,
  startOrAttach,
} from '../../src/clients/temporal/index.ts';
import { queuedRequest } from '../../src/clients/temporal/lock.ts';
import { readConfig } from '../../src/config.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { DeployInput, OperationResult } from '../../src/contract/operations/deploy.ts';
import { SIGNALS } from '../../src/contract/messages.ts';
import { operationWorkflowId, ENGINE_NAMESPACE, queueWorkflowId } from '../../src/contract/names.ts';
import type { Operation } from '../../src/contract/operations/plan.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { planOf, recordingActivities } from '../support/plans.ts';

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(async () => {
  await engine.close();
});

/** A lock of its own for every test. */
function input(requestedBy = 'tester@host'): DeployInput {
  return { environment: 'test', imageTags: {}, clusterUid: newClusterUid(), requestedBy };
}

/** Operations whose one step goes on until `open` is called. */
function held(): { activities: Activities; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const through = async (): Promise<void> => {
    const beat = setInterval(() => {
      heartbeat();
    }, 200);
    await opened.finally(() => {
      clearInterval(beat);
    });
  };
  const plan = {
    ...planOf({ a: { phase: 1, action: 'rollback' }, b: { phase: 2, dependsOn: ['a'], action: 'rollback' } }),
    prerequisites: false,
  };
  const { activities } = recordingActivities(plan, {
    planDestroy: () =>
      Promise.resolve({
        ...plan,
        services: plan.services.map((service) => ({
          ...service,
          action: 'remove' as const,
          steps: service.steps.map((step) => ({ ...step, action: 'remove' as const })),
        })),
      }),
    applyRelease: async () => {
      await through();
      return { changed: true, revision: 1, seconds: 0 };
    },
    removeRelease: async () => {
      await through();
      return { removed: true, seconds: 0 };
    },
    awaitLockFree: (request) => awaitLockFree({ engine: engine.client }, temporalScope)(request),
  });
  return { activities, open };
}

const start = (operation: Operation, request: DeployInput): Promise<DeploymentHandle> =>
  startOrAttach(engine.client, operation, { ...request, pastNoReturn: false, deleteData: false }, 'refuse');
const follow = (run: DeploymentHandle): Promise<OperationResult> =>
  followDeployment(engine.client, run, { onEvent: () => undefined });

/** The command as `deploy` calls it, with a connection of its own, which it closes. */
async function command(): Promise<{
  session: Session;
  ready: Prerequisites;
  interrupt: () => void;
  said: () => string;
  until: (pattern: RegExp) => Promise<void>;
}> {
  let text = '';
  const waiting = new Set<() => void>();
  const stdout = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        text += chunk.toString();
        for (const look of waiting) look();
        done();
      },
    }),
    { isTTY: false, columns: 200 },
  );
  const terminal = {
    stdout,
    stderr: stdout,
    stdin: process.stdin,
    live: false,
    style: plainStyle,
  } as unknown as CliContext['terminal'];
  const interrupts = new AbortController();
  const context: CliContext = {
    config: readConfig(),
    terminal,
    version: '0',
    finish: () => undefined,
    outputLost: 0,
    run: () => Promise.resolve(0 as const),
  };
  const environment = { ...(await loadEnvironment('staging', readConfig())), name: 'test' };
  const address = { address: engine.address, namespace: ENGINE_NAMESPACE };
  return {
    session: {
      context,
      environment,
      json: false,
      renderer: createRenderer(terminal, 'test', false),
      interrupted: interrupts.signal,
    },
    ready: {
      client: await connectTemporal(address, 5),
      clusterUid: '',
      cluster: { uid: '', server: '', labelled: new Map() },
      connections: { engine: address } as Prerequisites['connections'],
    },
    interrupt: () => {
      interrupts.abort(new Interrupted('SIGINT'));
    },
    said: () => text,
    until: (pattern) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (pattern.test(text)) resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

describe('superseding', () => {
  for (const operation of ['rollback', 'destroy'] as const) {
    test(`a ${operation} is not superseded: refused with the ways on, nothing is queued; not even the bare signal ends it`, async () => {
      const request = input();
      const { activities, open } = held();
      await engine.withWorker(activities, async () => {
        const run = await start(operation, request);
        const { session, ready } = await command();
        await assert.rejects(
          waitForLock(session, ready, {
            input: { ...request, requestedBy: 'other@host' },
            supersede: true,
            detach: false,
          }),
          (error) => {
            assert.ok(error instanceof CliError);
            assert.equal(error.exitCode, 3);
            assert.match(
              error.message,
              new RegExp(
                `held by a ${operation === 'rollback' ? 'rollback' : 'destruction'} that tester@host started at .* is not superseded, since half of it is nothing to build on`,
              ),
            );
            assert.match(error.next.join('\n'), /--if-running queue[^]*cancel --env test/);
            return true;
          },
        );
        await ready.client.connection.close();
        assert.equal(
          await queuedRequest(engine.client, queueWorkflowId(request.environment, request.clusterUid)),
          undefined,
        );
        await engine.client.workflow
          .getHandle(run.workflowId, run.runId)
          .signal(SIGNALS.supersede, { by: 'other@host' });
        open();
        const result = await follow(run);
        assert.deepEqual([result.outcome, result.supersededBy], ['succeeded', undefined]);
      });
    });
  }
});

describe('deploy, while the lock is held', () => {
  const deployment = async (
    request: DeployInput,
  ): Promise<{ code: Promise<number>; said: () => string; until: (pattern: RegExp) => Promise<void> }> => {
    const { session, ready, said, until } = await command();
    const code = startDeployment(session, ready, request, { ifRunning: 'attach', detach: false, given: [] });
    return { code, said, until };
  };
  const latest = async (request: DeployInput): Promise<{ runId: string; asks: unknown }> => {
    const described = await engine.client.workflow
      .getHandle(operationWorkflowId(request.environment, request.clusterUid))
      .describe();
    return { runId: described.runId, asks: described.memo?.['asks'] };
  };

  test('by a deployment of the same: it is watched, and nothing else is started', async () => {
    const request = { ...input(), imageTags: { a: '1', b: '2' }, selection: { only: ['a', 'b'] } };
    const { activities, open } = held();
    await engine.withWorker(activities, async () => {
      const holder = await start('deploy', request);
      const { code, until } = await deployment({
        ...request,
        requestedBy: 'other@host',
        imageTags: { b: '2', a: '1' },
        selection: { only: ['b', 'a'] },
      });
      await until(/this command watches it, and starts none of its own/);
      open();
      assert.equal(await code, 0);
      assert.equal((await latest(request)).runId, holder.runId);
    });
  });

  for (const [what, operation, more] of [
    ['a deployment of other images', 'deploy', { imageTags: { a: '2' } }],
    ['a deployment of other services', 'deploy', { selection: { only: ['a'] } }],
    ['a drift repair', 'repair', {}],
  ] as const)
    test(`by ${what}: it waits for its turn, and ends with what it was asked for`, async () => {
      const request = input();
      const { activities, open } = held();
      await engine.withWorker(activities, async () => {
        const holder = await startOrAttach(
          engine.client,
          operation,
          { ...request, ...more, pastNoReturn: false, deleteData: false, findings: [] },
          'refuse',
        );
        const { code, said, until } = await deployment({
          ...request,
          requestedBy: 'other@host',
          imageTags: { a: '3' },
        });
        await until(/this deployment waits for its turn/);
        assert.doesNotMatch(said(), /watches it/);
        open();
        assert.equal(await code, 0);
        const { runId, asks } = await latest(request);
        assert.notEqual(runId, holder.runId);
        assert.match(String(asks), /"a","3"/);
      });
    });

  for (const operation of ['rollback', 'destroy'] as const)
    test(`by a ${operation}: refused, and nothing of it is deployed`, async () => {
      const request = input();
      const { activities, open } = held();
      await engine.withWorker(activities, async () => {
        const holder = await start(operation, request);
        const { code } = await deployment({ ...request, imageTags: { a: '3' } });
        await assert.rejects(code, (error) => {
          assert.ok(error instanceof CliError);
          assert.equal(error.exitCode, 3);
          assert.match(error.message, /: nothing of what was asked for was deployed\.$/);
          return true;
        });
        open();
        await follow(holder);
        assert.equal((await latest(request)).runId, holder.runId);
      });
    });
});

describe('in the queue', () => {
  test('Ctrl-C ends the command and leaves the request: its deployment starts when the lock is free', async () => {
    const request = input();
    const { activities, open } = held();
    await engine.withWorker(activities, async () => {
      const holder = await start('rollback', request);
      const { session, ready, interrupt, said, until } = await command();
      const code = waitForLock(session, ready, {
        input: { ...request, requestedBy: 'waiting@host' },
        supersede: false,
        detach: false,
      });
      await until(/Waits for the lock, which is held by a rollback that tester@host started at/);
      interrupt();
      assert.equal(await code, 4);
      assert.match(
        said(),
        /Detached \(SIGINT\): the request stays in the queue, and its deployment starts when the lock is free\.[^]*cancel --queued --env test/,
      );
      assert.equal(session.context.outputLost, 4);
      assert.equal(
        (await queuedRequest(engine.client, queueWorkflowId(request.environment, request.clusterUid)))?.requestedBy,
        'waiting@host',
      );
      open();
      assert.equal((await follow(holder)).outcome, 'succeeded');
      await engine.client.workflow.getHandle(queueWorkflowId(request.environment, request.clusterUid)).result();
      const next = await engine.client.workflow.getHandle(holder.workflowId).describe();
      assert.notEqual(next.runId, holder.runId);
      assert.deepEqual([next.type, (next.memo as { requestedBy: string }).requestedBy], ['deploy', 'waiting@host']);
      assert.equal((await follow({ workflowId: next.workflowId, runId: next.runId })).outcome, 'succeeded');
    });
  });
});

test('whoever needs the lock is told that its holder does not move, and what helps', async () => {
  // A task queue that no worker has ever asked.
  const request = { ...input(), environment: 'deserted' };
  const run = await start('deploy', request);
  const { session, ready } = await command();
  await assert.rejects(
    requireFreeLock(
      { ...session, environment: { ...session.environment, name: 'deserted' } },
      { ...ready, clusterUid: request.clusterUid },
      'rollback',
    ),
    (error) => {
      assert.ok(error instanceof CliError);
      assert.match(
        error.message,
        /^The deployment of "deserted" that tester@host started at \S+ holds the lock \(workflow deploy\/deserted\/.*\)\. It does not move: .+\.$/,
      );
      assert.match(error.next[0] ?? '', /^npm run worker -- --env deserted/);
      return true;
    },
  );
  await ready.client.connection.close();
  await engine.client.workflow.getHandle(run.workflowId, run.runId).terminate();
});
