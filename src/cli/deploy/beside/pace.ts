/**
 * While the live view runs, reads how long earlier runs took, once the plan is there, and reports every service that
 * takes longer than ever before.
 */
import type { Client } from '@temporalio/client';
import type { DeploymentHandle } from '../../../clients/temporal/index.ts';
import { pastRuns } from '../../../clients/temporal/histories/past-runs.ts';
import { pause } from '../../shared/pause.ts';
import { type LiveView, type PastEvent, slow, type SlowEvent } from '../../render/live.ts';

export interface PaceWatch {
  client: () => Client;
  run: DeploymentHandle;
  view: () => LiveView;
  emit: (event: PastEvent | SlowEvent) => void;
  signal: AbortSignal;
}

const EVERY_MS = 1000;

/** Ends with the signal; never throws, since it only adds to the picture. */
export async function watchPace({ client, run, view, emit, signal }: PaceWatch): Promise<void> {
  const told = new Set<string>();
  do {
    const { progress, past } = view();
    if (progress.plan && !progress.finished && past === undefined) {
      const { operation } = progress.plan;
      const runs = await pastRuns(client(), run, operation, signal).catch(() => undefined);
      if (signal.aborted) return;
      // Without an answer the declared times are shown, as before.
      if (runs) emit({ kind: 'past', runs });
    }
    for (const one of slow(view(), Date.now())) {
      if (told.has(one.service)) continue;
      told.add(one.service);
      emit({ kind: 'slow', slow: one });
    }
  } while (await pause(EVERY_MS, signal));
}
