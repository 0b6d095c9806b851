/**
 * Serves the task queue of an environment: with the workflow code at hand what is new, with older code what that has
 * begun. Several workers do so side by side, on one machine or on many; together they decide which code is current.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { type NativeConnection, type State, Worker, type WorkerOptions } from '@temporalio/worker';
import type { WorkflowBuild } from '../clients/temporal/bundle.ts';
import { buildsAtWork, setCurrentVersion, workerVersions } from '../clients/temporal/versions.ts';
import { livingWorkers } from '../clients/temporal/workers.ts';
import { taskQueueOf, workerDeploymentOf } from '../contract/names.ts';
import { takesOver } from './takes-over.ts';

export interface ServingOptions {
  environment: string;
  /** As it is now: both are exchanged when certificates are. */
  engine: { readonly client: Client; readonly connection: NativeConnection };
  namespace: string;
  build: WorkflowBuild;
  /** @returns the bundle of another build, undefined where it cannot be had */
  olderBundle: (buildId: string) => Promise<string | undefined>;
  identity: string;
  /** Activities and limits. */
  worker: Omit<
    WorkerOptions,
    'connection' | 'namespace' | 'taskQueue' | 'workflowBundle' | 'identity' | 'workerDeploymentOptions'
  >;
  /** A line for the log. */
  say: (text: string) => void;
}

export interface Serving {
  /** Until `shutdown`. @throws what makes a worker give up, such as a right that was taken away */
  run: () => Promise<void>;
  /** Stops taking work; running activities get the grace period to end. */
  shutdown: () => void;
  state: () => State;
  /** From now on through this connection. */
  reconnect: (connection: NativeConnection) => void;
}

const LOOK_EVERY_MILLISECONDS = 5000;
/** Until it is decided which version is current, new workflows may be waiting. */
const AT_FIRST_MILLISECONDS = 150;
/** Polls without any work until an older version is no longer served. */
const IDLE_LOOKS = 2;

export async function createServing(options: ServingOptions): Promise<Serving> {
  const { environment, engine, build, say } = options;
  const taskQueue = taskQueueOf(environment);
  const older = new Map<string, { worker: Worker; done: Promise<void>; idle: number }>();
  const missing = new Set<string>();
  const main = await makeWorker(options, build);
  let decided = false;

  const decideCurrent = async (): Promise<void> => {
    const versions = await workerVersions(engine.client, environment);
    // The engine knows this version once it has been asked for work.
    if (!versions.known.has(build.buildId)) return;
    const alive =
      versions.current === undefined || versions.current === build.buildId
        ? 0
        : (await livingWorkers(engine.client, taskQueue, versions.current)).alive;
    if (takesOver(build.buildId, versions, alive > 0)) {
      await setCurrentVersion(engine.client, environment, build.buildId, options.identity);
      say(
        `New operations on ${environment} begin with version ${build.buildId} of the workflow code${versions.current === undefined ? '' : `, no longer with ${versions.current}`}`,
      );
    } else if (!decided && versions.current !== build.buildId) {
      say(
        `Version ${build.buildId} of the workflow code is older than ${versions.current ?? ''}, which workers serve: this worker does no new operations while they live`,
      );
    }
    decided = true;
  };

  const serveOlder = async (buildId: string): Promise<void> => {
    const path = await options.olderBundle(buildId);
    if (path === undefined) {
      if (!missing.has(buildId))
        say(
          `Something that version ${buildId} of the workflow code has begun is still running, and this worker does not have that code: it goes on where a worker does (docs/understand/engine.md)`,
        );
      missing.add(buildId);
      return;
    }
    // What other teams ask for begins with the newest code.
    const { nexusServices: _, ...rest } = options.worker;
    const worker = await makeWorker({ ...options, worker: rest }, { buildId, path });
    say(`Serves version ${buildId} of the workflow code, too, until what it has begun has ended`);
    const done = worker
      .run()
      .catch((error: unknown) => {
        say(`Version ${buildId} of the workflow code is no longer served: ${text(error)}`);
      })
      .finally(() => older.delete(buildId));
    older.set(buildId, { worker, done, idle: 0 });
  };

  const serveWhatIsOlder = async (): Promise<void> => {
    const atWork = await buildsAtWork(engine.client, environment);
    for (const buildId of atWork) if (buildId !== build.buildId && !older.has(buildId)) await serveOlder(buildId);
    for (const [buildId, serving] of older) {
      serving.idle = atWork.has(buildId) ? 0 : serving.idle + 1;
      if (serving.idle < IDLE_LOOKS || serving.worker.getState() !== 'RUNNING') continue;
      say(`All that version ${buildId} of the workflow code had begun has ended`);
      serving.worker.shutdown();
    }
  };

  const keepLooking = async (signal: AbortSignal): Promise<void> => {
    let told = '';
    while (!signal.aborted) {
      try {
        await decideCurrent();
        if (decided) await serveWhatIsOlder();
        told = '';
      } catch (error) {
        // An engine that is away comes back; the same is not said every few seconds.
        if (text(error) !== told) say(`The engine could not be asked about versions: ${text(error)}`);
        told = text(error);
      }
      await sleep(decided ? LOOK_EVERY_MILLISECONDS : AT_FIRST_MILLISECONDS, undefined, { signal }).catch(
        () => undefined,
      );
    }
  };

  const shutdown = (): void => {
    for (const worker of [main, ...[...older.values()].map((serving) => serving.worker)])
      if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    shutdown,
    state: () => main.getState(),
    reconnect: (connection) => {
      for (const worker of [main, ...[...older.values()].map((serving) => serving.worker)])
        worker.connection = connection;
    },
    run: async () => {
      const ended = new AbortController();
      const looking = keepLooking(ended.signal);
      try {
        await main.run();
      } finally {
        ended.abort();
        await looking;
        shutdown();
        await Promise.all([...older.values()].map(({ done }) => done));
      }
    },
  };
}

function makeWorker(
  { environment, engine, namespace, identity, worker }: ServingOptions,
  { buildId, path }: WorkflowBuild,
): Promise<Worker> {
  return Worker.create({
    ...worker,
    connection: engine.connection,
    namespace,
    identity,
    taskQueue: taskQueueOf(environment),
    workflowBundle: { codePath: path },
    workerDeploymentOptions: {
      version: { deploymentName: workerDeploymentOf(environment), buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'PINNED',
    },
  });
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
