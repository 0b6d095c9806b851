import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { UpOptions } from '../../local/up-down.ts';

export function upCommand(context: CliContext): Command {
  return environmentCommand('up', {
    summary: 'start engine, cluster, Vault and worker on this machine',
    changesHere: true,
    description: `Starts the embedded parts of an environment, or those of them that are down, after getting the tools they
need. "deploy" does this by itself. Safe to run again; deploys nothing.`,
    examples: [['up', 'The local stack of the sandbox.']],
  }).action(async (options: UpOptions) => {
    const { runUp } = await import('../../local/up-down.ts');
    await runUp(context, options);
  });
}
