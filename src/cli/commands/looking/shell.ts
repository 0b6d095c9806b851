import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';

export function shellCommand(context: CliContext): Command {
  return environmentCommand('shell', {
    summary: 'a shell, or one command, with kubectl, helm, vault and temporal pointed at the environment',
    description: `Opens your shell with the tools of an environment and variables that point them at it. Nothing of yours is
changed: kubeconfig, Helm's folders and Vault's token are the shell's own, and go with it. The prompt names
the environment. With a command after -- runs that, and ends with its exit code.`,
    examples: [
      ['shell --env staging', 'Your shell; exit leaves it.'],
      ['shell --env staging -- kubectl get pods -A', 'One command.'],
    ],
  })
    .argument('[command...]', 'what to run instead of a shell, after --')
    .action(async (command: string[], { env }: { env: string }) => {
      const { runShell } = await import('../../shell/run.ts');
      context.finish(await runShell(context, env, command));
    });
}
