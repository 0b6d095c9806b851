/** The base of every error of ours: how it is retried, how a command ends with it, and what helps. */
import { EXIT_CODES, type ExitCode, FAILURES, type FailureType } from './failures.ts';

/** A command of ours that helps; the environment of the command that failed is added. */
export interface NextCommand {
  /** `attach`, or `again` for the command that failed. */
  command: string;
  options?: readonly string[];
  /** Another environment than that of the command that failed. */
  environment?: string;
  /** What it does, in a few words. */
  why?: string;
}
/** A line as it is, or a command. */
export type NextStep = string | NextCommand;

export class AnantaError extends Error {
  override name = 'AnantaError';
  /** Its class: whether Temporal tries again follows from it. */
  readonly type: FailureType = FAILURES.unexpected;
  /** How a command ends that meets it. */
  readonly exitCode: ExitCode = EXIT_CODES.failed;
  /** What a person can do, in the order in which it is worth trying. */
  readonly next: readonly NextStep[] = [];

  /** What came back, for a terminal: the message, with what only the reader of a terminal needs. */
  explain(): string {
    return this.message;
  }
}

/** Thrown by effects on purpose. */
export class DeployError extends AnantaError {
  override name = 'DeployError';
  override readonly type: FailureType;

  constructor(type: FailureType, message: string) {
    super(message);
    this.type = type;
  }
}
