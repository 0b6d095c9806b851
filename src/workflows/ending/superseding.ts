/**
 * Somebody takes the lock over: the operation ends at the next safe point, at the latest when Helm has had its time.
 */
import { CancellationScope, isCancellation, setHandler, sleep } from '@temporalio/workflow';
import type { Operation } from '../../contract/operations/plan.ts';
import { supersede } from '../messages.ts';
import type { RunningPhases } from '../phases.ts';

/** Added to Helm's own timeout: a step that is retried without end never reaches a safe point. */
const MARGIN_SECONDS = 30;

export interface Superseding {
  /** Who took over; undefined as long as nobody did, or where it came too late to change anything. */
  by(): string | undefined;
  /** Returns undefined at once when somebody takes over: before the phases nothing has to be finished. */
  beginning<T>(work: () => Promise<T>): Promise<T | undefined>;
  /**
   * Asks the phases to yield when somebody takes over, and cancels what has not ended after Helm's timeout and a
   * margin.
   */
  phases<T>(helmTimeoutSeconds: number, work: () => Promise<T>): Promise<T>;
}

/**
 * A half-finished rollback or destruction is not a state that a deployment can start from: those are not superseded.
 */
const YIELDING: readonly Operation[] = ['deploy', 'repair'];

export function createSuperseding(operation: Operation, phases: RunningPhases): Superseding {
  let by: string | undefined;
  let yieldNow: (() => void) | undefined;
  setHandler(supersede, (request) => {
    if (by !== undefined || !yieldNow || !YIELDING.includes(operation)) return;
    by = request.by;
    yieldNow();
  });
  const whileAble = async <T>(onYield: (scope: CancellationScope) => void, work: () => Promise<T>): Promise<T> => {
    const scope = new CancellationScope();
    yieldNow = () => onYield(scope);
    try {
      return await scope.run(work);
    } finally {
      yieldNow = undefined;
    }
  };
  return {
    by: () => by,
    beginning: async (work) => {
      try {
        return await whileAble((scope) => {
          scope.cancel();
        }, work);
      } catch (error) {
        if (by !== undefined && isCancellation(error)) return undefined;
        throw error;
      }
    },
    phases: (helmTimeoutSeconds, work) =>
      whileAble((scope) => {
        phases.stop({ reason: `superseded by ${by ?? ''}`, mode: 'yield' });
        void sleep((helmTimeoutSeconds + MARGIN_SECONDS) * 1000).then(
          () => {
            scope.cancel();
          },
          () => undefined,
        );
      }, work),
  };
}
