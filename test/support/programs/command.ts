/** A command of the CLI in the process of a test, and what any run of one said. */
import { runCommandLine } from '../../../src/cli/main.ts';
import { plainStyle } from '../../../src/cli/shared/terminal.ts';
import type { Config } from '../../../src/config.ts';

export type JsonLine = { type: string } & Record<string, unknown>;

export interface CliRun {
  code: number | null;
  stdout: string;
  stderr: string;
  lines: JsonLine[];
}

/** As main.ts runs it, into strings instead of the process's streams: for commands that ask nobody for input. */
export async function commandInProcess(config: Config, args: readonly string[]): Promise<CliRun> {
  const said = { stdout: '', stderr: '' };
  const terminal = {
    stdout: { write: (text: string) => (said.stdout += text) },
    stderr: { write: (text: string) => (said.stderr += text) },
    live: false,
    interactive: false,
    style: plainStyle,
    errorStyle: plainStyle,
  };
  const code = await runCommandLine({ args, config, terminal });
  return { code, ...said, lines: said.stdout.split('\n').flatMap((text) => parseLine(text) ?? []) };
}

/** @returns undefined for what is no event */
export function parseLine(text: string): JsonLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'type' in value ? (value as JsonLine) : undefined;
  } catch {
    return undefined;
  }
}
