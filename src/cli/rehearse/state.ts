/** What a run has left, looked at until it is at rest, or as it should be. */
import { setTimeout as sleep } from 'node:timers/promises';
import { resolveConnections } from '../../environment/connections.ts';
import { compareStates, type StateDifference } from '../../plan/rehearsal/compare.ts';
import { type ComparableState, stateOf } from '../../plan/rehearsal/state.ts';
import { withClients } from '../shared/clients.ts';
import type { Stage } from './stage.ts';

/** What a run may still be doing when it has ended: pods that go, endpoints that follow. */
const SETTLES_MS = 60_000;
const LOOK_AGAIN_MS = 1000;

export interface Looking {
  signal: AbortSignal;
  /** For so long at most. */
  settlesMs?: number;
  everyMs?: number;
}

export interface Settled {
  state: ComparableState;
  /** What was another at the last look than at the one before; empty: it is at rest. */
  restless: StateDifference[];
}

/** Once nothing of it moves any more, for a minute at most. @throws what `readState` throws for a minute */
export function settledState(stage: Stage, signal: AbortSignal): Promise<Settled> {
  return withReader(stage, signal, (read) => lookUntilAtRest(read, { signal }));
}

/** What is not as in the undisturbed run, once a minute has not changed that. */
export function differencesTo(
  expected: ComparableState,
  stage: Stage,
  signal: AbortSignal,
): Promise<StateDifference[]> {
  return withReader(stage, signal, (read) => lookUntilSame(read, expected, { signal }));
}

type Read = () => Promise<ComparableState>;

export async function lookUntilAtRest(read: Read, options: Looking): Promise<Settled> {
  let [before, restless]: [ComparableState | undefined, StateDifference[]] = [undefined, []];
  const state = await looking(read, options, (now) => {
    const isSecond = before !== undefined;
    restless = compareStates(before ?? {}, now);
    before = now;
    return isSecond && restless.length === 0;
  });
  return { state, restless };
}

export async function lookUntilSame(
  read: Read,
  expected: ComparableState,
  options: Looking,
): Promise<StateDifference[]> {
  const state = await looking(read, options, (now) => compareStates(expected, now).length === 0);
  return compareStates(expected, state);
}

/** @returns what was seen last */
async function looking(
  read: Read,
  { signal, settlesMs = SETTLES_MS, everyMs = LOOK_AGAIN_MS }: Looking,
  isEnough: (state: ComparableState) => boolean,
): Promise<ComparableState> {
  for (const end = performance.now() + settlesMs; ; ) {
    try {
      const state = await read();
      if (isEnough(state) || performance.now() > end) return state;
    } catch (error) {
      signal.throwIfAborted();
      if (performance.now() > end) throw error;
    }
    await sleep(everyMs, undefined, { signal });
  }
}

async function withReader<T>(
  { config, environment }: Stage,
  signal: AbortSignal,
  work: (read: Read) => Promise<T>,
): Promise<T> {
  const { readState } = await import('../../effects/rehearsal/read-state.ts');
  const connections = await resolveConnections(environment, config);
  return withClients({ config }, environment, connections, (clients) =>
    work(async () => stateOf(await readState(clients, signal))),
  );
}
