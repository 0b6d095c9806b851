/** Commands as a user runs them, and what they say while they run. */
import { runCommandLine } from '../../src/cli/main.ts';
import { plainStyle } from '../../src/cli/shared/terminal.ts';
import type { Config } from '../../src/config.ts';
import { type CliRun, type JsonLine, parseLine } from '../support/programs/command.ts';
import { NAME } from './stage.ts';

/** Runs the command in this process, which takes a tenth of the time of one of its own. */
export async function running(
  config: Config,
  args: readonly string[],
  seen: (line: JsonLine) => void = () => undefined,
): Promise<CliRun> {
  const run: CliRun = { code: null, stdout: '', stderr: '', lines: [] };
  let rest = '';
  const terminal = {
    stdout: {
      write: (text: string) => {
        run.stdout += text;
        const parts = (rest + text).split('\n');
        rest = parts.pop() ?? '';
        for (const line of parts.flatMap((part) => parseLine(part) ?? [])) {
          run.lines.push(line);
          seen(line);
        }
      },
    },
    stderr: { write: (text: string) => (run.stderr += text) },
    live: false,
    interactive: false,
    style: plainStyle,
    errorStyle: plainStyle,
  };
  run.code = await runCommandLine({ args: [...args, '--env', NAME], config, terminal });
  return run;
}
