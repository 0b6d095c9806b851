/**
 * What an effect has of whoever asked for it: an activity, a command, the installation into a cluster. An effect brings
 * one thing about, however often it is begun; it knows neither who asks nor how it is tried again.
 */
import { steadyNow } from '../process/clock.ts';

export interface EffectScope {
  /** Fires when it is to stop. */
  signal: AbortSignal;
  /** Says what is being done: words, or a function that is asked for more than words whenever somebody looks. */
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

/** Of a command, which tries once, and which nobody takes anything away from. */
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
