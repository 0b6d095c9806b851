/** Carries out faults of a rehearsal: of processes, of the ways between them, of answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlannedFault } from '../../src/plan/rehearsal/faults.ts';
import type { Layout } from '../layout.ts';
import { WaitTimeoutError, waitUntil } from '../process/wait.ts';
import { type Hit, helmOf, partOf, strike } from './signals.ts';
import type { Ways } from './ways.ts';

export interface Hitting {
  layout: Layout;
  ways: Pick<Ways, 'apiServer' | 'engine' | 'answers'>;
  /** Path of Helm. */
  helm: string;
  signal: AbortSignal;
  /** For how long requests are waited for that get another answer. */
  askedWithinMs?: number;
}

/** Requests that get another answer come so soon at least: something is always looked at. */
const ASKED_WITHIN_MS = 30_000;

/** @returns carries one out, and ends when it is over; undefined where there was nothing to hit */
export function hitterOf(hitting: Hitting): (fault: PlannedFault) => Promise<Hit | undefined> {
  const { layout, ways, helm, signal } = hitting;
  return async (fault) => {
    switch (fault.kind) {
      case 'kill':
      case 'stop':
        return strike(fault.target === 'helm' ? helmOf(layout, helm) : partOf(layout, fault.target), fault, { signal });
      case 'answers':
        return answering(hitting, fault);
      default: {
        const way = fault.target === 'way to the engine' ? ways.engine : ways.apiServer;
        const [at, began] = [Date.now(), performance.now()];
        if (fault.kind === 'slow') way.slow(fault.milliseconds);
        else way[fault.kind]();
        try {
          await sleep(fault.seconds * 1000, undefined, { signal });
        } finally {
          way.restore();
        }
        return { at, seconds: secondsSince(began) };
      }
    }
  };
}

async function answering(
  { ways, signal, askedWithinMs = ASKED_WITHIN_MS }: Pick<Hitting, 'ways' | 'signal' | 'askedWithinMs'>,
  { answer, count }: Extract<PlannedFault, { kind: 'answers' }>,
): Promise<Hit | undefined> {
  const api = ways.answers();
  if (api === undefined) return undefined;
  const [at, began] = [Date.now(), performance.now()];
  api.answer(answer, count);
  try {
    await waitUntil('requests', { timeoutMs: askedWithinMs, signal }, () =>
      Promise.resolve(api.left() === 0 ? true : undefined),
    );
  } catch (error) {
    if (!(error instanceof WaitTimeoutError)) throw error;
    // Nobody has asked. Where fewer have than it was meant for, those were hit.
    if (api.left() === count) return undefined;
  } finally {
    api.answer(answer, 0);
  }
  return { at, seconds: secondsSince(began) };
}

function secondsSince(began: number): number {
  return Math.round((performance.now() - began) / 100) / 10;
}
