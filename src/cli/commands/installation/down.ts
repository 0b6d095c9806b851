import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { DownOptions } from '../../local/up-down.ts';

export function downCommand(context: CliContext): Command {
  return environmentCommand('down', {
    summary: 'stop what runs on this machine; keeps the data',
    changesHere: true,
    description: `Stops the embedded parts of an environment: worker, Vault, cluster, engine. No process is left behind.
The data stays, and "up" continues with it; a deployment that is running waits until then.

With --purge the environment's data is deleted too: cluster, Vault, keys, history and logs.`,
    examples: [
      ['down', 'Stops the sandbox.'],
      ['down --purge', 'Stops it and deletes all it ever kept.'],
    ],
  })
    .option('--purge', 'delete the data as well; there is no way back')
    .action(async (options: DownOptions) => {
      const { runDown } = await import('../../local/up-down.ts');
      await runDown(context, options);
    });
}
