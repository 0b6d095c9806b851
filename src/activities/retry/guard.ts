/**
 * Wraps every activity: its errors are classed, secret values are removed from them, and they become final once the
 * step has been retried long enough. An attempt ends itself shortly before the engine would time it out, so that its
 * error is reported.
 */
import { DeployError } from '../../contract/errors.ts';
import { CancelledFailure } from '@temporalio/common';
import type { Clients } from '../../clients/index.ts';
import { FAILURES, type FailureType, NON_RETRYABLE } from '../../contract/failures.ts';
import { steadyNow } from '../../process/clock.ts';
import { asFailure } from '../failures.ts';
import type { Scope, ScopeOf } from '../scope.ts';
import { boundOf } from './bounds.ts';
import { createStreaks, enough, type Streaks } from './streaks.ts';

/** Before the engine's own limit. */
const MARGIN_MILLISECONDS = 3000;

type Make<Input, Output> = (scopeOf: ScopeOf) => (input: Input) => Promise<Output>;
export type Guard = <Input, Output>(make: Make<Input, Output>) => (input: Input) => Promise<Output>;

export interface GuardOptions {
  /** False for steps that may wait for a person without a limit. */
  bounded?: boolean;
  streaks?: Streaks;
  now?: () => number;
  /** Called after each failed attempt. @param final it is not tried again */
  onFailure?: ((activity: string, type: FailureType, final: boolean) => void) | undefined;
}

export function createGuard(
  clients: Pick<Clients, 'redactor' | 'environment'>,
  scopeOf: ScopeOf,
  { bounded = true, streaks = createStreaks(), now = steadyNow, onFailure }: GuardOptions = {},
): Guard {
  return (make) => async (input) => {
    const scope = scopeOf();
    const limit = limitOf(scope);
    try {
      const output = await make(() => limit.scope)(input);
      streaks.ended(scope.step);
      return output;
    } catch (error) {
      const cancelled = scope.signal.aborted;
      if (cancelled) streaks.ended(scope.step);
      if (error instanceof CancelledFailure) throw error;
      throw asFailure(limit.isOver() ? limit.error() : error, clients.redactor, cancelled, (type, message) => {
        const bound = bounded ? boundOf(type, message, clients.environment) : undefined;
        const words = bound && enough(bound, streaks.failed(scope.step, type, message), scope, now());
        if (bound === undefined || words !== undefined) streaks.ended(scope.step);
        onFailure?.(scope.activity, type, words !== undefined || NON_RETRYABLE.includes(type));
        return words;
      });
    } finally {
      limit.clear();
    }
  };
}

interface Limit {
  scope: Scope;
  isOver: () => boolean;
  error: () => DeployError;
  clear: () => void;
}

function limitOf(scope: Scope): Limit {
  const over = new AbortController();
  const milliseconds = Math.max(scope.limitMilliseconds - MARGIN_MILLISECONDS, scope.limitMilliseconds / 2);
  let doing: unknown = '';
  const error = (): DeployError =>
    new DeployError(
      FAILURES.unexpected,
      `It did not end within ${Math.round(milliseconds / 1000)} s${typeof doing === 'string' && doing !== '' ? `; the last that it said of itself: ${doing}` : ''}`,
    );
  const timer = setTimeout(() => over.abort(error()), milliseconds);
  timer.unref();
  return {
    scope: {
      ...scope,
      signal: AbortSignal.any([scope.signal, over.signal]),
      heartbeat: (detail) => {
        doing = detail;
        scope.heartbeat(detail);
      },
    },
    isOver: () => over.signal.aborted && !scope.signal.aborted,
    error,
    clear: () => {
      clearTimeout(timer);
    },
  };
}
