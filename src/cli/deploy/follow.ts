/** Watches one deployment to its end, through outages of the engine and through its moving to another port. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AnantaError } from '../../contract/errors.ts';
import type { Client } from '@temporalio/client';
import {
  closeTemporal,
  connectTemporal,
  type DeploymentHandle,
  followDeployment,
} from '../../clients/temporal/index.ts';
import { lockHolderOf } from '../../clients/temporal/lock.ts';
import { phaseWorkflowId } from '../../contract/names.ts';
import type { LockHolder } from '../../contract/lock.ts';
import type { OperationResult } from '../../contract/operations/deploy.ts';
import { type Connections, NotRunningError } from '../../environment/connections.ts';
import { applyLive, emptyLive, type LiveEvent, type LiveView, stateOf } from '../render/live.ts';
import type { Renderer } from '../render/renderer.ts';
import { watchPace } from './beside/pace.ts';
import { watchRetries } from './retries.ts';
import { watchStalls } from './stalls.ts';

export interface FollowInput {
  client: Client;
  run: DeploymentHandle;
  renderer: Renderer;
  /** Ends the watching. */
  signal: AbortSignal;
  /** Where the engine answers now: an embedded one may come back on another port. */
  engine: () => Promise<Connections['engine']>;
  /** What a person should know about an operation that does not move; nothing while it does. */
  describeStall: (holder: LockHolder) => string[];
  /** What else adds to the picture; ends with the signal, and never rejects. */
  beside?: (to: Beside) => Promise<void>;
}

export interface Beside {
  view: () => LiveView;
  emit: (event: LiveEvent) => void;
  /** Aborted when the operation has ended, or nobody watches it any more. */
  signal: AbortSignal;
}

const MOVED = 'the engine moved';
const STOPPED = 'the engine was stopped';

/** `down` stopped the engine that this command watched. */
export class EngineStoppedError extends AnantaError {
  override name = 'EngineStoppedError';
}

/** @throws what followDeployment throws; the signal's reason */
export async function follow({
  client,
  run,
  renderer,
  signal,
  engine,
  describeStall,
  beside,
}: FollowInput): Promise<OperationResult> {
  let view: LiveView = emptyLive();
  let known = 0;
  let address = (await engine()).address;
  const ended = new AbortController();
  const over = AbortSignal.any([signal, ended.signal]);
  let movedAt = Date.now();
  const show = (event: LiveEvent): void => {
    view = applyLive(view, event);
    renderer.event(event, view);
  };
  const connection = { client };
  void watchRetries({
    client: () => connection.client,
    emit: show,
    signal: over,
    workflows: () => [
      { workflowId: run.workflowId },
      ...phasesAtWork(view).map((phase) => ({ phase, workflowId: phaseWorkflowId(run.workflowId, run.runId, phase) })),
    ],
  });
  void watchStalls({
    holder: () => lockHolderOf(connection.client, run.workflowId),
    runId: run.runId,
    quietFor: () => Date.now() - movedAt,
    describe: describeStall,
    say: (line) => {
      renderer.notice(line);
    },
    signal: over,
  });
  const picture: Beside = { view: () => view, emit: show, signal: over };
  void watchPace({ client: () => connection.client, run, ...picture });
  void beside?.(picture);
  try {
    for (;;) {
      const outage = new AbortController();
      let seen = 0;
      try {
        return await followDeployment(connection.client, run, {
          signal: AbortSignal.any([signal, outage.signal]),
          onEvent(event) {
            // A new connection reads the history from its beginning.
            seen += 1;
            if (seen <= known) return;
            known = seen;
            movedAt = Date.now();
            show(event);
          },
          onConnection(state, detail) {
            renderer.notice(
              state === 'lost'
                ? `The engine does not answer (${detail}). The deployment goes on when it is back; this command waits for it.`
                : 'The engine is back.',
            );
            if (state === 'lost')
              void whenMoved(engine, address, over).then((why) => why !== undefined && outage.abort(why));
          },
        });
      } catch (error) {
        if (outage.signal.reason === STOPPED) throw new EngineStoppedError(STOPPED);
        if (outage.signal.reason !== MOVED || signal.aborted) throw error;
        const now = await engine();
        address = now.address;
        await closeTemporal(connection.client).catch(() => undefined);
        connection.client = await connectTemporal(now, 30);
      }
    }
  } finally {
    ended.abort();
  }
}

function phasesAtWork(view: LiveView): number[] {
  const busy = (view.progress.plan?.services ?? []).filter(({ name }) =>
    ['applying', 'starting'].includes(stateOf(view, name)),
  );
  return [...new Set(busy.map(({ phase }) => phase))];
}

/** So many looks in a row: the file may be missing or half-way while the component is restarted. */
const LOOKS = 3;

/**
 * @returns what became of an engine that does not answer; undefined when the signal comes first, or nothing is known
 */
async function whenMoved(
  engine: () => Promise<Connections['engine']>,
  address: string,
  signal: AbortSignal,
): Promise<typeof MOVED | typeof STOPPED | undefined> {
  let missing = 0;
  for (const started = Date.now(); !signal.aborted && Date.now() - started < 120_000; ) {
    await sleep(1000);
    try {
      if ((await engine()).address !== address) return MOVED;
      missing = 0;
    } catch (error) {
      // `down` takes away the file that says where it is; a crash leaves it.
      missing = error instanceof NotRunningError ? missing + 1 : 0;
      if (missing >= LOOKS) return STOPPED;
    }
  }
  return undefined;
}
