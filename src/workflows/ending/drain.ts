/** A phase that was asked to stop: it starts nothing further and, when asked to yield, ends what runs. */
import { CancellationScope, CancelledFailure, setHandler } from '@temporalio/workflow';
import type { StopPhase } from '../../contract/lock.ts';
import { stopPhase } from '../messages.ts';

export interface Drain {
  /** Nothing further is started, for this reason; undefined as long as nobody asked. */
  reason(): string | undefined;
  /** Whether also running services have to end, at their next safe point. */
  yields(): boolean;
  /** @throws CancelledFailure where even what is at work ends at its next safe point: between two steps */
  checkpoint(): void;
  /** Runs the wait, and cancels it when the phase has to yield. */
  waiting<T>(work: () => Promise<T>): Promise<T>;
}

export function createDrain(): Drain {
  let request: StopPhase | undefined;
  const waits = new Set<CancellationScope>();
  setHandler(stopPhase, (next) => {
    if (request?.mode === 'yield') return;
    request = next;
    if (next.mode === 'yield') for (const scope of waits) scope.cancel();
  });
  const checkpoint = (): void => {
    if (request?.mode === 'yield') throw new CancelledFailure(request.reason);
  };
  return {
    reason: () => request?.reason,
    yields: () => request?.mode === 'yield',
    checkpoint,
    async waiting(work) {
      checkpoint();
      const scope = new CancellationScope();
      waits.add(scope);
      try {
        return await scope.run(work);
      } finally {
        waits.delete(scope);
      }
    },
  };
}
