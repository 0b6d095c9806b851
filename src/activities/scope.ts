/**
 * What an activity gets from its caller: the signal that cancels it, and the function that sends its heartbeat. Tests
 * pass their own.
 */
import { DeployError } from '../contract/errors.ts';
import { Context } from '@temporalio/activity';
import { GRPC, grpcCode } from '../clients/temporal/connection/problems.ts';
import type { EffectScope } from '../effects/effect.ts';
import { FAILURES } from '../contract/failures.ts';
import { steadyNow } from '../process/clock.ts';

export interface Scope {
  /** Fires when the deployment is cancelled, the attempt has timed out, or the worker is asked to stop. */
  signal: AbortSignal;
  /** @param detail kept by the engine: seen in its UI, and by the next attempt */
  heartbeat(detail: unknown): void;
  /**
   * Asks the engine whether this attempt is still the current one. Absent where there is no engine.
   * @throws DeployError HelmInterrupted, or Unreachable without an answer
   */
  confirm?(): Promise<void>;
  /** What the attempt before this one reported last. */
  lastDetail: unknown;
  /** When the engine first wanted this done, earlier attempts included; by `steadyNow`. */
  wantedAt: number;
  /** The first is 1. */
  attempt: number;
  /** After so many the engine gives up; 0 for no limit. */
  maximumAttempts: number;
  /** Milliseconds until the engine gives up on this attempt. */
  limitMilliseconds: number;
  /** Its workflow and its own id within that: the same for all its attempts. */
  step: string;
  /** Name of the activity. */
  activity: string;
}

export type ScopeOf = () => Scope;

export const temporalScope: ScopeOf = () => {
  const context = Context.current();
  return {
    signal: context.cancellationSignal,
    heartbeat: (detail) => {
      context.heartbeat(detail);
    },
    confirm: () => confirmed(context),
    lastDetail: context.info.heartbeatDetails,
    wantedAt: wantedAt(context.info),
    attempt: context.info.attempt,
    maximumAttempts: context.info.retryPolicy?.maximumAttempts ?? 0,
    limitMilliseconds: context.info.startToCloseTimeoutMs,
    step: `${context.info.workflowExecution?.runId ?? ''}/${context.info.activityId}`,
    activity: context.info.activityType,
  };
};

/** Computed from the engine's timestamps alone: its clock may differ from this machine's. */
function wantedAt({ scheduledTimestampMs, currentAttemptScheduledTimestampMs }: Context['info']): number {
  return steadyNow() - Math.max(0, currentAttemptScheduledTimestampMs - scheduledTimestampMs);
}

/** Less than after which the engine gives the step to another worker. */
const CONFIRMED_WITHIN_MILLISECONDS = 4000;

/**
 * The SDK notices some 11 s after the last answer that it cannot reach the engine; the step goes to another worker
 * after 6.
 */
async function confirmed({ client, info }: Context): Promise<void> {
  try {
    await client.withDeadline(Date.now() + CONFIRMED_WITHIN_MILLISECONDS, () =>
      client.workflowService.recordActivityTaskHeartbeat({
        namespace: info.namespace,
        taskToken: info.taskToken,
      }),
    );
  } catch (error) {
    if (grpcCode(error) === GRPC.notFound)
      throw new DeployError(
        FAILURES.helmInterrupted,
        'the engine has given the step to somebody else: nothing was begun',
      );
    throw new DeployError(
      FAILURES.unreachable,
      `the engine does not say whether this step is still this worker's: nothing was begun (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

/** The engine counts a worker as dead after 6 s of silence. */
const BEAT_MILLISECONDS = 1000;
const SILENCE_MILLISECONDS = 6000;

/** Whether this attempt may still begin something. */
export interface Turn {
  /**
   * To be asked right before something is begun that another attempt must not do at the same time.
   * @throws DeployError HelmInterrupted after the process stood still, or was cut off from the engine, for so long that
   * the step was given to somebody else; Unreachable while the engine does not say
   */
  assertOurs(): Promise<void>;
}

/**
 * Sends heartbeats while `work` runs, whatever it is waiting for.
 * @param detail called for each heartbeat
 */
export async function withHeartbeat<T>(
  scope: Scope,
  detail: () => unknown,
  work: (turn: Turn) => Promise<T>,
): Promise<T> {
  let beatAt = Date.now();
  let silence = 0;
  // Wall-clock time: a monotonic clock stands still while a machine sleeps.
  const look = (): void => {
    silence = Math.max(silence, Date.now() - beatAt);
    beatAt = Date.now();
  };
  const beat = (): void => {
    look();
    scope.heartbeat(detail());
  };
  beat();
  const timer = setInterval(beat, BEAT_MILLISECONDS);
  try {
    return await work({
      assertOurs: async () => {
        look();
        if (silence >= SILENCE_MILLISECONDS)
          throw new DeployError(
            FAILURES.helmInterrupted,
            `this worker stood still for ${Math.round(silence / 1000)} s: by now the step is somebody else's`,
          );
        await scope.confirm?.();
      },
    });
  } finally {
    clearInterval(timer);
  }
}

/**
 * As `withHeartbeat`: the detail of each heartbeat is what the effect last reported, at first what the attempt before
 * reported last.
 */
export function withEffectScope<T>(scope: Scope, work: (effect: EffectScope) => Promise<T>): Promise<T> {
  const { signal, wantedAt, attempt, lastDetail } = scope;
  let doing: () => unknown = () => lastDetail;
  return withHeartbeat(
    scope,
    () => doing(),
    (turn) =>
      work({
        signal,
        wantedAt,
        attempt,
        lastDetail,
        assertOurs: () => turn.assertOurs(),
        doing: (detail) => {
          doing = typeof detail === 'function' ? detail : () => detail;
        },
      }),
  );
}
