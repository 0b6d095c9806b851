/** What is wrong with an environment file, for the person who wrote it. */

export interface ConfigurationProblem {
  /** File name as in environments/. */
  file: string;
  /** Dotted path inside it; empty for the file as a whole. */
  field: string;
  /** What is wrong, and what to do. */
  message: string;
}

export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
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
