/** The error that commands throw on purpose: everything a person needs to go on. */
import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, type ExitCode } from '../../contract/failures.ts';

export type { ExitCode } from '../../contract/failures.ts';

export interface CliErrorOptions {
  exitCode: ExitCode;
  /** Command lines or actions that help, one a line. */
  next?: string[];
  cause?: unknown;
}

export class CliError extends AnantaError {
  override name = 'CliError';
  override readonly exitCode: ExitCode;
  override readonly next: string[];

  constructor(message: string, options: CliErrorOptions) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode;
    this.next = options.next ?? [];
  }
}

/** Something is wrong with what was asked; nothing was touched. */
export function refused(message: string, ...next: string[]): CliError {
  return new CliError(message, { exitCode: EXIT_CODES.refused, next });
}

/** It was tried and did not work. */
export function failed(message: string, ...next: string[]): CliError {
  return new CliError(message, { exitCode: EXIT_CODES.failed, next });
}
