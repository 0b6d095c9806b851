/** What is wrong with an environment file, for the person who wrote it. */
import { AnantaError } from '../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../contract/failures.ts';

export interface ConfigurationProblem {
  /** File name as in environments/. */
  file: string;
  /** Dotted path inside it; empty for the file as a whole. */
  field: string;
  /** What is wrong, and what to do. */
  message: string;
}

export class ConfigurationError extends AnantaError {
  override name = 'ConfigurationError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
  readonly problems: ConfigurationProblem[];

  constructor(problems: ConfigurationProblem[]) {
    super(
      problems
        .map(({ file, field, message }) => [file, field, message].filter((part) => part !== '').join(': '))
        .join('\n'),
    );
    this.problems = problems;
  }
}
