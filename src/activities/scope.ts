/** What an activity has of its surroundings: whether to stop, where to beat its heart. Tests bring their own. */
import { Context } from '@temporalio/activity';

export interface Scope {
  /** Fires when the deployment is cancelled, the attempt has timed out, or the worker is asked to stop. */
  signal: AbortSignal;
  /** @param detail kept by the engine: seen in its UI, and by the next attempt */
  heartbeat(detail: unknown): void;
  /** What the attempt before this one reported last. */
  lastDetail: unknown;
  /** When the engine first wanted this done, earlier attempts included; milliseconds of the epoch. */
  wantedAt: number;
}

export type ScopeOf = () => Scope;

export const temporalScope: ScopeOf = () => {
  const context = Context.current();
  return {
    signal: context.cancellationSignal,
    heartbeat: (detail) => {
      context.heartbeat(detail);
    },
    lastDetail: context.info.heartbeatDetails,
    wantedAt: context.info.scheduledTimestampMs,
  };
};

/** The engine counts a worker as dead after 6 s of silence. */
const BEAT_MILLISECONDS = 1000;

/**
 * Beats while `work` runs, whatever it is waiting for.
 * @param detail asked for at each beat
 */
export async function beating<T>(scope: Scope, detail: () => unknown, work: () => Promise<T>): Promise<T> {
  const beat = (): void => {
    scope.heartbeat(detail());
  };
  beat();
  const timer = setInterval(beat, BEAT_MILLISECONDS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
