import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { commandLine } from '../../shared/format.ts';
import { refused } from '../../shared/failure.ts';

export function watchCommand(context: CliContext): Command {
  return environmentCommand('watch', {
    summary: 'all environments of an engine on one screen, to look into with the keyboard',
    description: `Fills the terminal: the environments of the engine that --env names, their operations, the services of one
by phases, and of a service why it is as it is, what its pods write, and its events. Changes nothing.

Arrows choose, enter opens, esc goes back, / filters, q quits.`,
    examples: [['watch --env staging', 'Whatever runs, or ran, on the engine of staging.']],
  }).action(async ({ env }: { env: string }) => {
    if (!context.terminal.interactive || !context.terminal.live)
      throw refused(
        'A full-screen view needs a terminal for input and output, with a cursor that can move (TERM).',
        `${commandLine('status', '--env', env)}   (how it stands, as text)`,
        `${commandLine('attach', '--env', env, '--json')}   (what happens, for programs)`,
      );
    const { runWatch } = await import('../../watch/run.ts');
    context.finish(await runWatch(context, env));
  });
}
