import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { StatusOptions } from '../../look/status.ts';

export function statusCommand(context: CliContext): Command {
  return environmentCommand('status', {
    summary: 'what is deployed and what runs, without touching anything',
    description: `Tells how the newest deployment to an environment stands or ended, service by service, and which of
the embedded components run. Needs no worker and changes nothing.

Exit code 0: the newest deployment succeeded, or is running and nothing has failed so far.
Exit code 1: it failed, was cancelled or never happened, or a component is down.`,
    examples: [
      ['status --env sandbox', 'State of the sandbox.'],
      ['status --json', 'The same for a program.'],
    ],
  })
    .option('--json', 'one JSON object on standard output')
    .action(async (options: StatusOptions) => {
      const { runStatus } = await import('../../look/status.ts');
      context.finish(await runStatus(context, options));
    });
}
