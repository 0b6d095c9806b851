/**
 * What a caller (an activity, a command, the installation into a cluster) passes to an effect. An effect is idempotent;
 * it knows neither its caller nor how it is retried.
 */
import { steadyNow } from '../process/clock.ts';

export interface EffectScope {
  /** Fires when it is to stop. */
  signal: AbortSignal;
  /** Reports what is being done: a text, or a function that is called for the current detail at each heartbeat. */
  doing(detail: string | (() => unknown)): void;
  /**
   * To be asked right before something is begun that another attempt must not do at the same time.
   * @throws DeployError HelmInterrupted where somebody else has been given it by now, Unreachable where nobody can tell
   */
  assertOurs(): Promise<void>;
  /** When it was first wanted, earlier attempts included; by `steadyNow`. */
  wantedAt: number;
  /** The first is 1. */
  attempt: number;
  /** What the attempt before this one said last. */
  lastDetail: unknown;
}

/** For commands: one attempt, and no other process can take the work over. */
export function commandScope(signal: AbortSignal, onDoing: (text: string) => void = () => undefined): EffectScope {
  return {
    signal,
    doing: (detail) => {
      if (typeof detail === 'string') onDoing(detail);
    },
    assertOurs: () => Promise.resolve(),
    wantedAt: steadyNow(),
    attempt: 1,
    lastDetail: undefined,
  };
}
