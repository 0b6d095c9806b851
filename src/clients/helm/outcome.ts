/** How a Helm process ended, and what that means. */
import { FAILURES } from '../../contract/failures.ts';
import { classifyHelmOutput, CUT } from './classify.ts';
import { HelmError } from './errors.ts';

export interface HelmOutcome {
  exitCode: number | undefined;
  /** The end of what this run wrote. */
  output: string;
  timedOut: boolean;
  /** It was asked to end because the request's signal fired. */
  cancelled: boolean;
  /** Signal that ended it from outside. */
  killedBy: string | undefined;
  /** It could not even be started. */
  startError: string | undefined;
}

export interface HelmCall {
  /** In words, for errors. */
  what: string;
  binary: string;
  timeoutSeconds: number;
  logFile: string;
  signal: AbortSignal | undefined;
}

/** @throws HelmError, or the signal's reason */
export function assertDone(outcome: HelmOutcome, { what, binary, timeoutSeconds, logFile, signal }: HelmCall): void {
  if (outcome.exitCode === 0) return;
  if (outcome.cancelled) signal?.throwIfAborted();
  if (outcome.startError !== undefined)
    throw new HelmError(FAILURES.unexpected, `${what}: ${binary} cannot be started: ${outcome.startError}`);
  if (outcome.timedOut)
    throw new HelmError(FAILURES.helmInterrupted, `${what} was ended after ${timeoutSeconds} s. Its log: ${logFile}`);
  if (outcome.killedBy !== undefined && !/^Error: /m.test(outcome.output))
    throw new HelmError(FAILURES.helmInterrupted, `${what} was killed by ${outcome.killedBy}`);
  const { type, message } = classifyHelmOutput(outcome.output);
  throw new HelmError(type, `${what}: ${message.replace(CUT, `$&: ${logFile}`)}`);
}

/** Reads the revision from the output of a Helm that succeeded. */
export function revisionOf(output: string): number {
  const revision = /^REVISION: (\d+)$/m.exec(output)?.[1];
  return revision === undefined ? 0 : Number(revision);
}
