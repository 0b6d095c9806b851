/** Polls for activities that are being retried, and why, so that the view shows why a service makes no progress. */
import type { Client } from '@temporalio/client';
import { pendingOf } from '../../clients/temporal/histories/pending.ts';
import { pause } from '../shared/pause.ts';
import type { CauseEvent, CauseOver, RetryEvent, RetryOver } from '../render/live.ts';

type Shown = RetryEvent | CauseEvent;

export interface RetryWatch {
  client: () => Client;
  /** Workflows that are at work now: the operation itself, which plans, and its phases. */
  workflows: () => { phase?: number; workflowId: string }[];
  emit: (event: Shown | RetryOver | CauseOver) => void;
  signal: AbortSignal;
}

/** Seldom enough to cost nothing: what is shown here lasts for seconds. */
const EVERY_MS = 3000;

/** Ends with the signal; never throws, since it only adds to the picture. */
export async function watchRetries({ client, workflows, emit, signal }: RetryWatch): Promise<void> {
  const shown = new Map<string, { kind: Shown['kind']; what: string }>();
  while (await pause(EVERY_MS, signal)) {
    const found = await Promise.all(workflows().map((workflow) => toldBy(client(), workflow)));
    const now = new Map(found.flat().map((event) => [event.id, event]));
    for (const [id, { kind }] of shown) {
      if (now.has(id)) continue;
      shown.delete(id);
      emit({ kind: kind === 'retry' ? 'retry-over' : 'cause-over', id });
    }
    for (const event of now.values()) {
      const what = event.kind === 'retry' ? String(event.attempt) : event.message;
      if (shown.get(event.id)?.what === what) continue;
      shown.set(event.id, { kind: event.kind, what });
      emit(event);
    }
  }
}

async function toldBy(client: Client, { phase, workflowId }: { phase?: number; workflowId: string }): Promise<Shown[]> {
  const { retries, causes } = await pendingOf(client, workflowId).catch(() => ({ retries: [], causes: [] }));
  const where = phase === undefined ? {} : { phase };
  const id = (activityId: string): string => `${phase ?? 'operation'}/${activityId}`;
  return [
    ...retries.map(
      ({ activityId, activity, attempt, message }): RetryEvent => ({
        kind: 'retry',
        id: id(activityId),
        ...where,
        activity,
        attempt,
        message,
      }),
    ),
    ...causes.map(
      ({ activityId, release, cause }): CauseEvent => ({
        kind: 'cause',
        id: `${id(activityId)}/cause`,
        ...where,
        release,
        message: cause,
      }),
    ),
  ];
}
