/** What every command is given. */
import type { Config } from '../../config.ts';
import type { ExitCode } from './failure.ts';
import type { Terminal } from './terminal.ts';

export interface CliContext {
  config: Config;
  terminal: Terminal;
  /** Version of this package. */
  version: string;
  /** Sets the exit code; a command that does not call it is done (0). */
  finish: (code: ExitCode) => void;
  /** Runs another command of this program, with its output in another terminal, and with folders of its own perhaps. */
  run: (args: readonly string[], terminal: Terminal, config?: Config) => Promise<ExitCode>;
  /**
   * Exit code when whoever reads the output goes away: done, unless something goes on without us. Absent while the
   * command itself is what changes something: it goes on to its end, without a reader.
   */
  outputLost: ExitCode | undefined;
}

/** What was asked for, as it stands in front of an error message. */
export interface Attempt {
  command: string;
  environment?: string;
}
