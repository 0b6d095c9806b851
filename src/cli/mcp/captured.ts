/** A command of this program, run for a tool: what it says, and how it ended. */
import { EXIT_CODES, type ExitCode } from '../../contract/failures.ts';
import type { CliContext } from '../shared/context.ts';
import { plainStyle, type Terminal } from '../shared/terminal.ts';

export interface Captured {
  exitCode: ExitCode;
  stdout: string;
  stderr: string;
}

/** Nobody can be asked, and the output is captured: standard output belongs to the protocol. */
export async function captured({ run }: Pick<CliContext, 'run'>, args: readonly string[]): Promise<Captured> {
  const said = { stdout: '', stderr: '' };
  const terminal: Terminal = {
    stdout: { write: (text) => (said.stdout += text) },
    stderr: { write: (text) => (said.stderr += text) },
    live: false,
    interactive: false,
    style: plainStyle,
    errorStyle: plainStyle,
  };
  const exitCode = await run(args, terminal);
  return { exitCode, ...said };
}

/** Changes that are found, an operation that was left running and something that is not healthy are answers. */
export function isAnswer({ exitCode, stdout }: Captured): boolean {
  return exitCode !== EXIT_CODES.refused && (exitCode !== EXIT_CODES.failed || stdout.trimStart().startsWith('{'));
}
