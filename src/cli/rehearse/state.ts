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

/** Once nothing of it moves any more. @throws what `readState` throws when it does not come to rest within a minute */
export async function settledState(stage: Stage, signal: AbortSignal): Promise<ComparableState> {
  let before: ComparableState | undefined;
  return looking(stage, signal, (now) => {
    const atRest = before !== undefined && compareStates(before, now).length === 0;
    before = now;
    return atRest ? now : undefined;
  }).then(({ found, state }) => found ?? state);
}

/** What is not as in the undisturbed run, once a minute has not changed that. */
export async function differencesTo(
  expected: ComparableState,
  stage: Stage,
  signal: AbortSignal,
): Promise<StateDifference[]> {
  const { state } = await looking(stage, signal, (now) => compareStates(expected, now).length === 0 || undefined);
  return compareStates(expected, state);
}

async function looking<T>(
  { config, environment }: Stage,
  signal: AbortSignal,
  enough: (state: ComparableState) => T | undefined,
): Promise<{ found: T | undefined; state: ComparableState }> {
  const { readState } = await import('../../effects/rehearsal/read-state.ts');
  const connections = await resolveConnections(environment, config);
  return withClients({ config }, environment, connections, async (clients) => {
    for (const end = performance.now() + SETTLES_MS; ; ) {
      try {
        const state = stateOf(await readState(clients, signal));
        const found = enough(state);
        if (found !== undefined || performance.now() > end) return { found, state };
      } catch (error) {
        signal.throwIfAborted();
        if (performance.now() > end) throw error;
      }
      await sleep(LOOK_AGAIN_MS, undefined, { signal });
    }
  });
}
