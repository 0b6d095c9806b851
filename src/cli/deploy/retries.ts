/** Looks now and then whether something is being tried again, so that nobody stares at a service that does not move. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { pendingRetries } from '../../clients/temporal/pending.ts';
import type { RetryEvent, RetryOver } from '../render/live.ts';

export interface RetryWatch {
  client: () => Client;
  /** Workflows that are at work now. */
  workflows: () => { phase: number; workflowId: string }[];
  emit: (event: RetryEvent | RetryOver) => void;
  signal: AbortSignal;
}

/** Seldom enough to cost nothing: retries last for seconds. */
const EVERY_MS = 3000;

/** Ends with the signal; never throws, since it only adds to the picture. */
export async function watchRetries({ client, workflows, emit, signal }: RetryWatch): Promise<void> {
  const shown = new Map<string, number>();
  while (await pause(signal)) {
    const found = await Promise.all(
      workflows().map(async ({ phase, workflowId }) => {
        const pending = await pendingRetries(client(), workflowId).catch(() => []);
        return pending.map(
          ({ activityId, activity, attempt, message }): RetryEvent => ({
            kind: 'retry',
            id: `${phase}/${activityId}`,
            phase,
            activity,
            attempt,
            message,
          }),
        );
      }),
    );
    const now = new Map(found.flat().map((event) => [event.id, event]));
    for (const id of shown.keys()) {
      if (now.has(id)) continue;
      shown.delete(id);
      emit({ kind: 'retry-over', id });
    }
    for (const event of now.values()) {
      if (shown.get(event.id) === event.attempt) continue;
      shown.set(event.id, event.attempt);
      emit(event);
    }
  }
}

/** @returns false when the signal came first */
function pause(signal: AbortSignal): Promise<boolean> {
  return sleep(EVERY_MS, true, { signal }).catch(() => false);
}
