/** Entry: `node src/cli/main.ts COMMAND …`. Commands load what they need when they run, so that help comes at once. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepLoopbackDirect, readConfig } from '../config.ts';
import { EXIT_CODES } from '../contract/failures.ts';
import { outputWritten, watchOutput } from '../process/output.ts';
import type { Attempt, CliContext } from './shared/context.ts';
import { explain } from './shared/explain.ts';
import type { ExitCode } from './shared/failure.ts';
import { buildProgram } from './program.ts';
import { openTerminal, printLines } from './shared/terminal.ts';

/**
 * Runs one command line. The only place where errors become exit codes and text.
 * @param args without node and the script
 */
export async function main(args: readonly string[]): Promise<ExitCode> {
  keepLoopbackDirect();
  const config = readConfig();
  const terminal = openTerminal(config);
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
  watchOutput(() => context.outputLost, EXIT_CODES.failed);
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

const exitCode = await main(process.argv.slice(2));
await outputWritten();
// Connections that are still closing do not hold the prompt back.
process.exit(exitCode);
