import type { Command } from 'commander';
import { plainCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import type { RebindOptions } from '../rebind.ts';

export function rebindCommand(context: CliContext): Command {
  return plainCommand('rebind', {
    summary: 'bind an environment to another cluster',
    description: `The first deployment binds an environment to its cluster: the uid of its namespace kube-system, and its certificate
authority. The engine keeps that, and every command and every step that changes something is refused on another cluster.
This binds the environment to the cluster that its file and the kubeconfig name now. The cluster before keeps all that was
deployed to it; its drift runs end.

Asks for the environment's name. Refused while an operation runs.`,
    examples: [
      ['rebind --env staging', 'Says from where to where, asks, and binds.'],
      ['rebind --env staging --confirm staging --json', 'In a pipeline, on purpose.'],
    ],
  })
    .requiredOption(
      '-e, --env <name>',
      'environment: the name of a file in environments/, without .yaml; there is no default',
    )
    .option('--confirm <name>', 'the name of the environment, where nobody can be asked')
    .option('--json', 'one JSON object on standard output')
    .action(async (options: RebindOptions) => {
      const { runRebind } = await import('../rebind.ts');
      context.finish(await runRebind(context, options));
    });
}
