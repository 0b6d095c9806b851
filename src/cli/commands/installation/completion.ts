import { Argument, type Command } from 'commander';
import { SHELLS, type ShellName } from '../../completion/scripts.ts';
import { plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';

export function completionCommand(context: CliContext): Command {
  return plainCommand('completion', {
    summary: 'what bash, zsh or fish need to complete commands, services, environments and versions',
    description: `Prints a script for a shell, to be read once per session. From then on the tab key completes commands, options,
environments, services, phases and versions. Where there is no command "ananta", the script makes one
that runs this clone. Versions are those that were read of the cluster last: it is asked beside, never
waited for.`,
    examples: [
      ['completion bash', 'Append what it prints to ~/.bashrc (use npm run --silent).'],
      ['completion zsh', 'The same for ~/.zshrc, below compinit.'],
      ['completion fish', 'For a file in ~/.config/fish/conf.d/.'],
    ],
  })
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action(async (shell: ShellName) => {
      const { printCompletion } = await import('../../completion/run.ts');
      printCompletion(context, shell);
    });
}
