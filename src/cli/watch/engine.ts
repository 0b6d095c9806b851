/** What the engine knows: the list of operations, polled now and then; the opened one, by long polling. */
import type { Client } from '@temporalio/client';
import { closeTemporal, connectTemporal, followDeployment } from '../../clients/temporal/index.ts';
import { operationsOf } from '../../clients/temporal/overview.ts';
import { phaseWorkflowId } from '../../contract/names.ts';
import type { Connections } from '../../environment/connections.ts';
import { watchPace } from '../deploy/beside/pace.ts';
import { watchRetries } from '../deploy/retries.ts';
import { applyLive, emptyLive, type LiveEvent, stateOf } from '../render/live.ts';
import { oneLine } from '../shared/format.ts';
import { pause } from '../shared/pause.ts';
import type { Run } from './model.ts';
import type { Store } from './store.ts';

/** An engine has no watch on its list. */
const EVERY_MS = 2000;

export interface Engine {
  client: () => Client;
  close: () => Promise<void>;
}

/** Keeps the list current, also on an engine that comes back elsewhere, until the signal. */
export async function watchOperations(
  first: Client,
  address: () => Promise<Connections['engine']>,
  store: Store,
  signal: AbortSignal,
): Promise<Engine> {
  let client = first;
  let known = (await address()).address;
  const look = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const operations = await operationsOf(client);
        store.update(({ problem: _over, ...data }) => ({ ...data, operations }));
      } catch (error) {
        const why = oneLine(error instanceof Error ? error.message : String(error));
        store.update((data) => ({ ...data, problem: `The engine does not answer, this is as it was: ${why}` }));
        const now = await address().catch(() => undefined);
        const moved = now && now.address !== known ? await connectTemporal(now, 5).catch(() => undefined) : undefined;
        if (now && moved) {
          await closeTemporal(client).catch(() => undefined);
          [client, known] = [moved, now.address];
        }
      }
      await pause(EVERY_MS, signal);
    }
  };
  void look();
  return { client: () => client, close: () => closeTemporal(client).catch(() => undefined) };
}

/** Folds one operation's history into the store, to its end or until the signal. Never rejects. */
export async function watchOperation(engine: Engine, run: Run, store: Store, signal: AbortSignal): Promise<void> {
  let view = emptyLive();
  const show = (event: LiveEvent): void => {
    if (signal.aborted) return;
    view = applyLive(view, event);
    store.update((data) => ({ ...data, view }));
  };
  const ended = new AbortController();
  const beside = { emit: show, signal: AbortSignal.any([signal, ended.signal]) };
  void watchPace({ client: engine.client, run, view: () => view, ...beside });
  void watchRetries({
    client: engine.client,
    workflows: () => [
      { workflowId: run.workflowId },
      ...atWork(view).map((phase) => ({ phase, workflowId: phaseWorkflowId(run.workflowId, run.runId, phase) })),
    ],
    ...beside,
  });
  try {
    await followDeployment(engine.client(), run, { onEvent: show, signal });
  } catch (error) {
    if (!signal.aborted) {
      const problem = oneLine(error instanceof Error ? error.message : String(error));
      store.update((data) => ({ ...data, problem }));
    }
  } finally {
    ended.abort();
  }
}

function atWork(view: ReturnType<typeof emptyLive>): number[] {
  const busy = (view.progress.plan?.services ?? []).filter(({ name }) =>
    ['applying', 'starting'].includes(stateOf(view, name)),
  );
  return [...new Set(busy.map(({ phase }) => phase))];
}
