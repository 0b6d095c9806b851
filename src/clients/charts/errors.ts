/** Why a chart cannot be installed from what was found. */
import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';

/** Where a chart was asked for, and what came back. */
export interface ChartAttempt {
  place: string;
  said: string;
}

/** Nobody who was asked had it; asking later may help. */
export class ChartUnavailableError extends AnantaError {
  override name = 'ChartUnavailableError';
  override readonly type = FAILURES.unreachable;
  readonly attempts: readonly ChartAttempt[];

  constructor(what: string, attempts: readonly ChartAttempt[]) {
    super(`${what} cannot be fetched: ${attempts.map(({ place, said }) => `${place}: ${said}`).join('; ')}`);
    this.attempts = attempts;
  }
}

/** An archive is not the one that the lock names, or the lock names none: a person has to look. */
export class ChartDigestError extends AnantaError {
  override name = 'ChartDigestError';
  override readonly type = FAILURES.chartInvalid;
  override readonly exitCode = EXIT_CODES.refused;
}
