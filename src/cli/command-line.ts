/** One command line, from its arguments to its exit code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { EXIT_CODES } from '../contract/failures.ts';
import { buildProgram } from './program.ts';
import type { Attempt, CliContext } from './shared/context.ts';
import { explain } from './shared/explain.ts';
import type { ExitCode } from './shared/failure.ts';
import { printLines, type Terminal } from './shared/terminal.ts';

export interface CommandLine {
  /** Without node and the script. */
  args: readonly string[];
  config: Config;
  terminal: Terminal;
  /** Given, before anything runs, what the exit code is when whoever reads the output goes away. */
  watchOutput?: (exitCode: () => ExitCode | undefined) => void;
}

/** Runs it. The only place where errors become exit codes and text. */
export async function runCommandLine({ args, config, terminal, watchOutput }: CommandLine): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT_CODES.done;
  let attempt: Attempt = { command: args[0]?.startsWith('-') === false ? args[0] : '' };
  const { version } = JSON.parse(readFileSync(join(config.repoRoot, 'package.json'), 'utf8')) as { version: string };
  const context: CliContext = {
    config,
    terminal,
    version,
    finish: (code) => (exitCode = code),
    outputLost: EXIT_CODES.done,
  };
  watchOutput?.(() => context.outputLost);
  const program = buildProgram(context, (next) => (attempt = next));
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    const explanation = explain(error, attempt);
    printLines(terminal.stderr, explanation.lines(terminal.errorStyle));
    return explanation.exitCode;
  }
}
