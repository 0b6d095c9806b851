/**
 * How a phase follows the steering of its operation: it holds services that have to wait for a decision, and ends the
 * waits for those that are skipped.
 */
import { CancellationScope, condition, isCancellation, setHandler } from '@temporalio/workflow';
import type { PhaseInput, ServiceOutcome, ServiceProgress } from '../../contract/operations/deploy.ts';
import type { PlannedService } from '../../contract/operations/plan.ts';
import { SKIPPED_BY_REQUEST, STOPPED } from '../../contract/operations/states.ts';
import { extensionOf } from '../../plan/steering/state.ts';
import type { Drain } from '../ending/drain.ts';
import { steerPhase } from '../messages.ts';

/** How other services have ended. `skipped`: it is not there, and services that can do without it go on. */
export type Settled = ReadonlyMap<string, 'good' | 'lost' | 'skipped'>;

export interface ServiceSteering {
  /** How often it was tried again. */
  attempt: number;
  /** Seconds that were added to its health deadline. */
  extension(): number;
  /** Why it is skipped; undefined: it is not. */
  skipped(): string | undefined;
  /** Ends when it is not paused any more, or is skipped or interrupted. */
  safePoint(): Promise<void>;
  /** Gives up waiting also when it is skipped. */
  drain: Drain;
}

export interface PhaseSteers {
  /** Waits for the turn of a service. @returns undefined then; its outcome where it is not started at all */
  turnOf(
    service: PlannedService,
    settled: Settled,
    report: (event: ServiceProgress) => void,
    attempt: number,
  ): Promise<ServiceOutcome | undefined>;
  of(service: string, attempt: number): ServiceSteering;
  /** Waits for the decision about a service that has failed. */
  afterFailure(service: string, attempt: number): Promise<'retry' | 'skip' | 'over'>;
}

/** @returns undefined where an operation of an earlier version has started the phase */
export function phaseSteers({ steering }: Pick<PhaseInput, 'steering'>, drain: Drain): PhaseSteers | undefined {
  if (steering === undefined) return undefined;
  let now = steering;
  const waits = new Map<string, Set<CancellationScope>>();
  setHandler(steerPhase, (next) => {
    if (next.number <= now.number) return;
    now = next;
    for (const [service, scopes] of waits)
      if (now.skips[service] !== undefined) for (const scope of scopes) scope.cancel();
  });
  const skipped = (service: string): string | undefined => now.skips[service];
  const isHeld = (service: string): boolean => now.paused || now.pauseAt.includes(service);
  const isInterrupted = (service: string): boolean => drain.yields() || skipped(service) !== undefined;

  return {
    async turnOf(service, settled, report, attempt) {
      const { name, phase, dependsOn, optionalDependencies = [] } = service;
      const unstarted = { name, phase, seconds: 0, changed: false };
      const ready = (): boolean =>
        dependsOn.every(
          (needed) =>
            settled.get(needed) === 'good' ||
            (settled.get(needed) === 'skipped' && optionalDependencies.includes(needed)),
        );
      const over = (): boolean => now.over !== undefined || isInterrupted(name);
      try {
        for (let reported = false; ; ) {
          await condition(() => over() || (ready() && now.stop === undefined));
          if (over()) return { ...unstarted, ...unstartedOutcome(name) };
          if (!isHeld(name)) return undefined;
          if (now.pauseAt.includes(name) && !reported)
            report({ ...progressOf(name, attempt), state: 'waiting', detail: 'its turn has come', reached: true });
          reported = true;
          await condition(() => over() || !isHeld(name));
        }
      } catch (error) {
        if (isCancellation(error)) return { ...unstarted, state: 'cancelled' };
        throw error;
      }
    },
    of: (service, attempt) => ({
      attempt,
      extension: () => extensionOf(now, service),
      skipped: () => skipped(service),
      safePoint: () => condition(() => !now.paused || isInterrupted(service)),
      drain: {
        ...drain,
        waiting: (work) =>
          drain.waiting(async () => {
            const scope = new CancellationScope();
            const scopes = waits.get(service) ?? new Set();
            waits.set(service, scopes.add(scope));
            try {
              return await scope.run(work);
            } finally {
              scopes.delete(scope);
            }
          }),
      },
    }),
    async afterFailure(service, attempt) {
      const retried = (): boolean => (now.retries[service] ?? 0) > attempt;
      try {
        await condition(() => retried() || isInterrupted(service) || now.over !== undefined);
      } catch (error) {
        if (isCancellation(error)) return 'over';
        throw error;
      }
      if (retried()) return 'retry';
      return skipped(service) === undefined ? 'over' : 'skip';
    },
  };

  function unstartedOutcome(name: string): Pick<ServiceOutcome, 'state' | 'failure'> {
    const words = skipped(name);
    if (words !== undefined) return skippedBy(words);
    const end = now.over?.[name] ?? { type: STOPPED, message: `not started: ${drain.reason() ?? 'nothing goes on'}` };
    return { state: 'skipped', failure: end };
  }
}

export function skippedBy(words: string): Pick<ServiceOutcome, 'state' | 'failure'> & { state: 'skipped' } {
  return { state: 'skipped', failure: { type: SKIPPED_BY_REQUEST, message: words } };
}

/** What events of a service begin with. */
export function progressOf(service: string, attempt: number): Pick<ServiceProgress, 'service' | 'at' | 'attempt'> {
  return { service, at: Date.now(), ...(attempt === 0 ? {} : { attempt }) };
}
