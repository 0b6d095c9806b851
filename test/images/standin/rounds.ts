/** Asks every check until it succeeds, and again and again afterwards; decides whether the service is healthy. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, describe, isRemote, type Report, type Result, targetOf } from './check.ts';

export interface RoundsOptions {
  checks: readonly Check[];
  problems: readonly string[];
  /** One attempt; throws when it fails. */
  ask: (check: Check) => Promise<void>;
  isRefusal: (error: unknown) => boolean;
  /** Words of a failure, without any secret. */
  words: (error: unknown) => string;
  log: (line: string) => void;
  /** Milliseconds: between the attempts of a check that fails, and of one that succeeded. */
  pauses?: { failing: readonly number[]; again: number };
  /** Attempts before the program gives up: answers that were no, and no answers. */
  limits?: { refused: number; failed: number };
  signal: AbortSignal;
}

export interface Rounds {
  state: () => Report['state'];
  results: () => Result[];
  /** What is missing right now, one line each. */
  failing: () => string[];
  /** Resolves with the reason when the program should end; never otherwise. */
  gaveUp: Promise<string>;
}

const PAUSES = { failing: [500, 1000, 2000, 3000, 5000], again: 20_000 };
const LIMITS = { refused: 6, failed: 24 };

interface State {
  check: Check;
  ok: boolean;
  attempts: number;
  firstOk?: boolean;
  failures: number;
  refusals: number;
  error?: string;
}

export function startRounds({
  checks,
  problems,
  ask,
  isRefusal,
  words,
  log,
  pauses = PAUSES,
  limits = LIMITS,
  signal,
}: RoundsOptions): Rounds {
  const states: State[] = checks.map((check) => ({ check, ok: false, attempts: 0, failures: 0, refusals: 0 }));
  const { promise: gaveUp, resolve: giveUp } = Promise.withResolvers<string>();
  let started = false;

  const needed = ({ check }: State): boolean => check.when === 'always' || (!started && check.when === 'start');
  const line = ({ check }: State): string =>
    `${check.kind} ${targetOf(check)}${isRemote(check) ? `:${check.port}` : ''} (${describe(check)})`;
  const from = ({ check }: State): string => (check.from.length === 0 ? '' : ` from ${check.from.join(', ')}`);

  async function attempt(state: State): Promise<void> {
    state.attempts += 1;
    try {
      await ask(state.check);
      state.firstOk ??= true;
      if (!state.ok) log(`ok: ${line(state)}${from(state)}, attempt ${state.attempts}`);
      Object.assign(state, { ok: true, failures: 0, refusals: 0 });
      delete state.error;
    } catch (error) {
      state.firstOk ??= false;
      state.failures += 1;
      state.refusals = isRefusal(error) ? state.refusals + 1 : 0;
      const said = words(error);
      if (said !== state.error) log(`failed: ${line(state)}${from(state)}, attempt ${state.attempts}: ${said}`);
      state.error = said;
      // A single failed attempt does not make the service unhealthy.
      if (!started || state.failures > 1) state.ok = false;
    }
    if (!started && problems.length === 0 && states.every((other) => other.ok || !needed(other))) {
      started = true;
      log(`healthy: ${states.filter(({ check }) => check.when !== 'late').length} checks succeeded`);
    }
    if (!started && needed(state) && (state.refusals >= limits.refused || state.failures >= limits.failed))
      giveUp(`${line(state)}${from(state)}: ${state.error ?? ''}`);
  }

  async function follow(state: State): Promise<void> {
    while (!signal.aborted) {
      await attempt(state);
      const pause =
        state.failures === 0 ? pauses.again : pauses.failing[Math.min(state.failures, pauses.failing.length) - 1];
      await sleep(pause, undefined, { signal, ref: true }).catch(() => undefined);
    }
  }
  for (const state of states) void follow(state);
  if (problems.length === 0 && states.every((state) => !needed(state))) started = true;
  for (const problem of problems) log(`configuration: ${problem}`);
  if (problems.length > 0)
    void sleep(
      pauses.failing.slice(0, limits.refused).reduce((sum, pause) => sum + pause, 0),
      undefined,
      { signal },
    ).then(
      () => giveUp(`configuration: ${problems.join('; ')}`),
      () => undefined,
    );

  const failing = (): string[] => [
    ...problems.map((problem) => `configuration: ${problem}`),
    ...states
      .filter((state) => !state.ok && needed(state))
      .map((state) => `${line(state)}: ${state.error ?? 'not asked yet'}`),
  ];
  return {
    gaveUp,
    failing,
    state: () => (!started ? 'starting' : failing().length === 0 ? 'healthy' : 'failing'),
    results: () =>
      states
        .map(({ check, ok, attempts, firstOk, error }) => ({
          kind: check.kind,
          target: targetOf(check),
          ...(isRemote(check) ? { port: check.port } : {}),
          what: describe(check),
          from: check.from,
          when: check.when,
          ok,
          attempts,
          ...(firstOk === undefined ? {} : { firstOk }),
          ...(error === undefined ? {} : { error }),
        }))
        .sort(
          (a, b) => a.kind.localeCompare(b.kind) || a.target.localeCompare(b.target) || a.what.localeCompare(b.what),
        ),
  };
}
