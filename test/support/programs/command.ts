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

/** A command that runs. */
export interface Running {
  /** Resolves with the first line that fits, past ones included. Rejects when the command ends before. */
  line: (fits: (line: JsonLine) => boolean) => Promise<JsonLine>;
  done: Promise<CliRun>;
}

/**
 * As main.ts runs it, into strings instead of the process's streams: for commands that ask nobody for input.
 * @param onOutput gets what it writes to standard output, as it comes
 */
export async function commandInProcess(
  config: Config,
  args: readonly string[],
  onOutput: (text: string) => void = () => undefined,
): Promise<CliRun> {
  const said = { stdout: '', stderr: '' };
  const terminal = {
    stdout: {
      write: (text: string) => {
        said.stdout += text;
        onOutput(text);
      },
    },
    stderr: { write: (text: string) => (said.stderr += text) },
    live: false,
    interactive: false,
    style: plainStyle,
    errorStyle: plainStyle,
  };
  const code = await runCommandLine({ args, config, terminal });
  return { code, ...said, lines: said.stdout.split('\n').flatMap((text) => parseLine(text) ?? []) };
}

/** The same, while its lines are awaited. */
export function beginInProcess(config: Config, args: readonly string[]): Running {
  const follower = followLines();
  let rest = '';
  const run = commandInProcess(config, args, (text) => {
    const whole = `${rest}${text}`.split('\n');
    rest = whole.pop() ?? '';
    for (const line of whole) follower.add(line);
  });
  const done = run.then(
    (ended) => {
      follower.end(ended);
      return ended;
    },
    (error: unknown) => {
      follower.end(undefined);
      throw error;
    },
  );
  return { line: follower.line, done };
}

export interface Follower {
  /** @param text a line of standard output; what is no event is passed over */
  add: (text: string) => void;
  lines: JsonLine[];
  line: Running['line'];
  /** Rejects what still waits for a line, since none will come. @param run absent where the command has thrown */
  end: (run: CliRun | undefined) => void;
}

export function followLines(): Follower {
  const lines: JsonLine[] = [];
  const waiting = new Set<{
    fits: (line: JsonLine) => boolean;
    resolve: (line: JsonLine) => void;
    reject: (error: Error) => void;
  }>();
  let over: Error | undefined;
  return {
    lines,
    add: (text) => {
      const line = parseLine(text);
      if (!line) return;
      lines.push(line);
      for (const waiter of waiting) {
        if (!waiter.fits(line)) continue;
        waiting.delete(waiter);
        waiter.resolve(line);
      }
    },
    line: (fits) => {
      const past = lines.find(fits);
      if (past) return Promise.resolve(past);
      if (over) return Promise.reject(over);
      return new Promise((resolve, reject) => {
        waiting.add({ fits, resolve, reject });
      });
    },
    end: (run) => {
      over = new Error(
        `The command ended with ${run?.code} before the awaited line:\n${run?.stdout.slice(-2000)}\n${run && failuresOf(run)}`,
      );
      for (const { reject } of waiting) reject(over);
    },
  };
}

/** What failed and why, for the message of an assertion. */
export function failuresOf(run: CliRun): string {
  return (
    run.lines
      .filter(
        (line) =>
          line['state'] === 'failed' || line['failure'] !== undefined || line.type === 'error' || line.type === 'retry',
      )
      .map((line) => JSON.stringify(line))
      .join('\n') + run.stderr.slice(-1500)
  );
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
