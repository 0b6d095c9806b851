/** Why a chart cannot be installed from what was found. */

/** Where a chart was asked for, and what came back. */
export interface ChartAttempt {
  place: string;
  said: string;
}

/** Nobody who was asked had it; asking later may help. */
export class ChartUnavailableError extends Error {
  override name = 'ChartUnavailableError';
  readonly attempts: readonly ChartAttempt[];

  constructor(what: string, attempts: readonly ChartAttempt[]) {
    super(`${what} cannot be fetched: ${attempts.map(({ place, said }) => `${place}: ${said}`).join('; ')}`);
    this.attempts = attempts;
  }
}

/** An archive is not the one that the lock names, or the lock names none: a person has to look. */
export class ChartDigestError extends Error {
  override name = 'ChartDigestError';
}
