/** Workflows of another team, in a namespace of their own, ask for operations through Nexus. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { sleep as activitySleep } from '@temporalio/activity';
import { Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, NexusOperationFailure } from '@temporalio/common';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { asyncLocalStorage } from '@temporalio/nexus/lib/context.js';
import { HandlerError } from 'nexus-rpc';
import { awaitLockFree } from '../../src/activities/lock/await-free.ts';
import { awaitOperation } from '../../src/activities/lock/await-operation.ts';
import { lockHolder } from '../../src/activities/lock/holder.ts';
import { temporalScope } from '../../src/activities/scope.ts';
import { startOrAttach } from '../../src/clients/temporal/index.ts';
import { bindCluster } from '../../src/clients/temporal/binding.ts';
import { describeEndpoint, reconcileEndpoints } from '../../src/clients/temporal/nexus.ts';
import { createRedactor } from '../../src/clients/redact.ts';
import type { Activities } from '../../src/contract/activities.ts';
import { FAILURES } from '../../src/contract/failures.ts';
import { ENGINE_NAMESPACE, nexusWorkflowId, operationWorkflowId, taskQueueOf } from '../../src/contract/names.ts';
import { wantedEndpoint } from '../../src/contract/nexus/endpoint.ts';
import type { OperationOutput, StatusOutput } from '../../src/contract/nexus/service.d.ts';
import type { PlatformVersion } from '../../src/contract/version.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { nexusService } from '../../src/worker/nexus/service.ts';
import { CALLERS_NAMESPACE, newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { fakeCatalog } from '../support/fakes/catalog.ts';
import { planOf, recordingActivities } from '../support/plans.ts';

const NAME = 'shop';
const clusterUid = newClusterUid();

let engine: TestEngine;
let connection: NativeConnection;
let callers: Client;
let bundle: WorkflowBundleWithSourceMap;
let environment: Environment;

before(async () => {
  engine = await startTestEngine();
  [connection, bundle] = await Promise.all([
    NativeConnection.connect({ address: engine.address }),
    bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('nexus/release.ts', import.meta.url)),
      logger: new DefaultLogger('ERROR'),
    }),
  ]);
  callers = new Client({ connection: engine.client.connection, namespace: CALLERS_NAMESPACE });
  const wanted = wantedEndpoint(NAME, ENGINE_NAMESPACE, undefined);
  assert.deepEqual(await reconcileEndpoints(engine.client, wanted, true), { outcome: 'created', removed: [] });
  await bindCluster(engine.client, {
    environment: NAME,
    uid: clusterUid,
    server: 'https://here',
    boundBy: 'tester@host',
    at: new Date(0).toISOString(),
  });
});
after(async () => {
  await reconcileEndpoints(engine.client, wantedEndpoint(NAME, ENGINE_NAMESPACE, undefined), false);
  await connection.close();
  await engine.close();
});

/** As its file says at the moment. */
function says(more: Partial<Environment> = {}): void {
  environment = {
    name: NAME,
    protected: false,
    approvals: [],
    nexus: { operations: ['status', 'verify', 'deploy', 'promote'], callers: [CALLERS_NAMESPACE], promoteFrom: ['qa'] },
    ...more,
  } as unknown as Environment;
}

interface Serving {
  log: string[];
  activities: Activities;
  /** What the operations were started with. */
  runs: { requestedBy: string | undefined; imageTags: Record<string, string> }[];
}

function shop(overrides: Partial<Activities> = {}): Serving {
  const plan = { ...planOf({ cache: { phase: 1, action: 'upgrade' } }), environment: NAME, prerequisites: false };
  const runs: Serving['runs'] = [];
  const clients = { engine: engine.client };
  const recorder = recordingActivities(plan, {
    makePlan: ({ run }) => {
      runs.push({ requestedBy: run.requestedBy, imageTags: run.imageTags });
      return Promise.resolve(plan);
    },
    recordVersion: () => Promise.resolve({ version: 7 }),
    lockHolder: lockHolder(clients),
    awaitLockFree: awaitLockFree(clients, temporalScope),
    awaitOperation: awaitOperation(clients, temporalScope),
    ...overrides,
  });
  return { ...recorder, runs };
}

/** Both teams' workers, while `work` runs. */
async function together<T>({ activities }: Serving, work: () => Promise<T>): Promise<T> {
  const caller = await Worker.create({
    connection,
    namespace: CALLERS_NAMESPACE,
    taskQueue: 'releases',
    workflowBundle: bundle,
    debugMode: true,
  });
  return caller.runUntil(engine.withWorker(activities, work, NAME, { nexusServices: [serviceWith()] }));
}

function serviceWith(): ReturnType<typeof nexusService> {
  const kubernetes = { list: () => Promise.resolve({ items: [] }) } as never;
  const clients = { catalog: fakeCatalog(), kubernetes, redactor: createRedactor() };
  return nexusService({ clients, engine, environment: () => Promise.resolve(environment) });
}

let calls = 0;
function call(name: 'release' | 'ask', ...args: unknown[]): Promise<WorkflowHandle> {
  calls += 1;
  return callers.workflow.start(name, { workflowId: `${name}-${calls}`, taskQueue: 'releases', args });
}

const asked = (operation: string, input: object): Promise<unknown> =>
  call('ask', NAME, operation, input).then((handle) => handle.result());

/** What the caller is told of a failure. */
async function failureOf(work: Promise<unknown>): Promise<HandlerError | ApplicationFailure> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof WorkflowFailedError && error.cause instanceof NexusOperationFailure, String(error));
    return error.cause.cause as HandlerError | ApplicationFailure;
  }
  throw new Error('it did not fail');
}

function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('a workflow of another team', () => {
  test('deploys and verifies; who has asked is who the engine says', async () => {
    says();
    const serving = shop();
    await together(serving, async () => {
      const handle = await call('release', { environment: NAME, deploy: { images: { cache: '7.5.0' } } });
      const done = (await handle.result()) as OperationOutput;
      assert.deepEqual(
        [done.outcome, done.version, done.attached, done.services.map(({ name, state }) => `${name} ${state}`)],
        ['succeeded', 7, false, ['cache healthy']],
      );
      assert.equal(done.workflowId, operationWorkflowId(NAME, clusterUid));
      const by = `nexus:${CALLERS_NAMESPACE}/${handle.workflowId}`;
      assert.deepEqual(serving.runs, [{ requestedBy: by, imageTags: { cache: '7.5.0' } }]);
      const { last, running } = (await asked('status', {})) as StatusOutput;
      assert.deepEqual([last?.runId, last?.status, running], [done.runId, 'COMPLETED', undefined]);
    });
  });

  test('a failed deployment fails the operation for good, with how each service ended', async () => {
    says();
    const serving = shop({
      awaitHealthy: () => Promise.reject(ApplicationFailure.nonRetryable('no answer', FAILURES.notHealthyInTime)),
    });
    await together(serving, async () => {
      const failure = await failureOf(asked('deploy', {}));
      assert.ok(failure instanceof ApplicationFailure);
      assert.deepEqual([failure.type, failure.nonRetryable], [FAILURES.deployFailed, true]);
      const [output] = failure.details as [OperationOutput];
      assert.deepEqual([output.outcome, output.services[0]?.failure], ['failed', 'NotHealthyInTime: no answer']);
    });
  });

  test('what may not be asked is refused at once, and nothing is begun', async () => {
    const nexus = { operations: ['deploy' as const], callers: [CALLERS_NAMESPACE], promoteFrom: [] };
    const gates = [{ name: 'four-eyes', notSelf: true, operations: ['deploy'] }] as unknown as Environment['approvals'];
    const table: [Partial<Environment>, string, object, string, RegExp][] = [
      [{ nexus: { ...nexus, callers: ['orders'] } }, 'deploy', {}, 'UNAUTHORIZED', /"payments" may not ask/],
      [{ nexus }, 'status', {}, 'UNAUTHORIZED', /does not take the operation status/],
      [{ nexus: undefined }, 'deploy', {}, 'UNAUTHORIZED', /takes no Nexus operations/],
      [{ protected: true }, 'deploy', {}, 'UNAUTHORIZED', /give confirm: "shop"/],
      [{ approvals: gates }, 'deploy', {}, 'UNAUTHORIZED', /gate four-eyes/],
      [{}, 'promote', { from: 'prod' }, 'UNAUTHORIZED', /Nothing is promoted from "prod"/],
      [{}, 'deploy', { only: ['cach'] }, 'BAD_REQUEST', /did you mean "cache"/],
      [{}, 'deploy', { overrideFreeze: 'now' }, 'BAD_REQUEST', /overrideFreeze/],
    ];
    const serving = shop();
    await together(serving, async () => {
      for (const [file, operation, input, type, words] of table) {
        says(file);
        const failure = await failureOf(asked(operation, input));
        assert.ok(failure instanceof HandlerError, String(failure));
        assert.deepEqual([failure.type, failure.retryable], [type, false], failure.message);
        assert.match(failure.message, words);
      }
    });
    assert.deepEqual(serving.runs, []);
  });

  test('a caller that is cancelled cancels its deployment, which ends in good order', async () => {
    says();
    const begun = gate();
    const serving = shop({
      awaitHealthy: async () => {
        begun.open();
        await activitySleep('1 hour');
        return { seconds: 0, proof: '' };
      },
    });
    await together(serving, async () => {
      const handle = await call('release', { environment: NAME, deploy: {} });
      await begun.opened;
      await handle.cancel();
      await assert.rejects(handle.result(), WorkflowFailedError);
      assert.equal((await handle.describe()).status.name, 'CANCELLED');
      const lock = await engine.client.workflow.getHandle(operationWorkflowId(NAME, clusterUid)).describe();
      assert.equal(lock.status.name, 'CANCELLED', 'the lock is free when the caller hears of it');
      assert.ok(serving.log.includes('result cancelled'));
    });
  });

  test('where somebody deploys: refused, taken part in where it is the same, or waited for', async () => {
    says();
    const [begun, held] = [gate(), gate()];
    const waiting: string[] = [];
    const clients = { engine: engine.client };
    const serving = shop({
      awaitHealthy: async () => {
        begun.open();
        await held.opened;
        return { seconds: 0, proof: '' };
      },
      awaitOperation: (input) => {
        waiting.push('attached');
        return awaitOperation(clients, temporalScope)(input);
      },
      awaitLockFree: (input) => {
        waiting.push('queued');
        return awaitLockFree(clients, temporalScope)(input);
      },
    });
    await together(serving, async () => {
      const input = { environment: NAME, clusterUid, requestedBy: 'other@host', imageTags: {} };
      await startOrAttach(engine.client, 'deploy', input, 'refuse');
      await begun.opened;
      const theyAsk = async (): Promise<WorkflowHandle[]> => {
        const refusal = await failureOf(asked('deploy', { ifRunning: 'refuse' }));
        assert.ok(refusal instanceof HandlerError);
        assert.deepEqual([refusal.type, refusal.retryable], ['BAD_REQUEST', false]);
        assert.match(refusal.message, /: LockHeld: .*other@host holds the lock/);
        const attached = await call('ask', NAME, 'deploy', { ifRunning: 'attach' });
        const queued = await call('ask', NAME, 'deploy', { ifRunning: 'attach', images: { cache: '9' } });
        // Both have been taken, and ask who holds the lock.
        await eventually(() => assert.deepEqual(waiting.toSorted(), ['attached', 'queued']));
        return [attached, queued];
      };
      const [attached, queued] = await theyAsk().finally(held.open);
      const [first, second] = (await Promise.all([attached?.result(), queued?.result()])) as OperationOutput[];
      assert.deepEqual([first?.attached, second?.attached], [true, false]);
      assert.deepEqual(
        serving.runs.map(({ imageTags }) => imageTags),
        [{}, { cache: '9' }],
      );
    });
  });

  test('promotes what another environment has, as its workers read it', async () => {
    says();
    const version = { version: 4, environment: 'qa', clusterUid: 'qa-uid' } as unknown as PlatformVersion;
    const serving = shop({
      prepareDeployment: ({ promote }) =>
        Promise.resolve({
          imageTags: { cache: '8' },
          notes: ['looked at'],
          ...(promote ? { promotedFrom: { environment: 'qa', version: promote.version.version, clusterUid: '' } } : {}),
        }),
    });
    const qa = shop({ readVersion: () => Promise.resolve({ version }) });
    await together(serving, () =>
      engine.withWorker(
        qa.activities,
        async () => {
          const done = (await asked('promote', { from: 'qa' })) as OperationOutput;
          assert.deepEqual([done.promotedFrom, done.notes], [{ environment: 'qa', version: 4 }, ['looked at']]);
          assert.deepEqual(
            serving.runs.map(({ imageTags }) => imageTags),
            [{ cache: '8' }],
          );
        },
        'qa',
      ),
    );
  });
});

test('a request that is repeated is the same operation, also after its end', async () => {
  says();
  const serving = shop();
  const service = serviceWith();
  const context = {
    ...{ service: 'ananta', operation: 'deploy', headers: {}, abortSignal: new AbortController().signal },
    requestId: 'once',
    inboundLinks: [linkOf('release-1')],
    outboundLinks: [],
  };
  const started = (): Promise<string> =>
    asyncLocalStorage.run(
      {
        ...{ client: engine.client, namespace: ENGINE_NAMESPACE, taskQueue: taskQueueOf(NAME), endpoint: '' },
        ...{ log: new DefaultLogger('ERROR'), metrics: {} as never },
      },
      async () => {
        const result = await service.getOperationHandler('deploy').start(context, {});
        assert.ok(result.isAsync);
        return result.token;
      },
    );
  await engine.withWorker(
    serving.activities,
    async () => {
      const tokens = [await started(), await started()];
      const id = nexusWorkflowId(NAME, 'deploy', 'once');
      const { runId, outcome } = (await engine.client.workflow.getHandle(id).result()) as OperationOutput;
      tokens.push(await started());
      assert.deepEqual([outcome, new Set(tokens).size, serving.runs.length], ['succeeded', 1, 1]);
      const { cancel } = service.getOperationHandler('deploy');
      // Cancelling an operation that has ended succeeds; nothing else in the deployer's namespace can be cancelled this
      // way.
      await cancel(context, tokens[0] ?? '');
      const lock = operationWorkflowId(NAME, clusterUid);
      for (const token of ['', 'x', Buffer.from(JSON.stringify({ t: 1, wid: lock })).toString('base64url')])
        await assert.rejects(cancel(context, token), (error) => error instanceof HandlerError && !error.retryable);
      const answer = await service.getOperationHandler('status').start({ ...context, operation: 'status' }, {});
      assert.ok(!answer.isAsync);
      assert.equal((answer.value as StatusOutput).last?.runId, runId);
    },
    NAME,
  );
});

/** As the engine writes it. */
function linkOf(workflowId: string): { url: URL; type: string } {
  const event = 'eventID=5&eventType=EVENT_TYPE_NEXUS_OPERATION_SCHEDULED&referenceType=EventReference';
  return {
    url: new URL(`temporal:///namespaces/${CALLERS_NAMESPACE}/workflows/${workflowId}/run/history?${event}`),
    type: 'temporal.api.common.v1.Link.WorkflowEvent',
  };
}

describe('the endpoint', () => {
  const other = { ...wantedEndpoint('other', ENGINE_NAMESPACE, 'taken'), description: 'Somebody made this' };

  test('somebody else’s of that name is neither changed nor removed', async () => {
    await reconcileEndpoints(engine.client, other, true);
    const wanted = wantedEndpoint('other', ENGINE_NAMESPACE, 'taken');
    assert.deepEqual(await reconcileEndpoints(engine.client, wanted, true), { outcome: 'foreign', removed: [] });
    assert.deepEqual(await reconcileEndpoints(engine.client, wanted, false), { removed: [] });
    assert.equal((await describeEndpoint(engine.client, wanted))?.ours, false);
  });

  test('made once; one that has another name by now, or is wanted no more, goes', async () => {
    const first = wantedEndpoint('moved', ENGINE_NAMESPACE, undefined);
    const second = wantedEndpoint('moved', ENGINE_NAMESPACE, 'moved-elsewhere');
    assert.deepEqual(await reconcileEndpoints(engine.client, first, true), { outcome: 'created', removed: [] });
    assert.deepEqual(await reconcileEndpoints(engine.client, first, true), { outcome: 'unchanged', removed: [] });
    const moved = { outcome: 'created', removed: ['ananta-moved'] } as const;
    assert.deepEqual(await reconcileEndpoints(engine.client, second, true), moved);
    assert.deepEqual(await reconcileEndpoints(engine.client, second, false), { removed: ['moved-elsewhere'] });
    assert.equal(await describeEndpoint(engine.client, second), undefined);
  });
});
