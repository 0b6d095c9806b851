import type { Command } from 'commander';
import { plainCommand, REQUIRED_ENVIRONMENT } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { RebindOptions } from '../../operations/rebind.ts';

export function rebindCommand(context: CliContext): Command {
  return plainCommand('rebind', {
    summary: 'bind an environment to another cluster, or take a cluster over',
    changesHere: true,
    description: `The first deployment binds an environment to its cluster: the uid of its namespace kube-system, and its certificate
authority. The engine keeps that, and every command and every step that changes something is refused on another cluster.
This binds the environment to the cluster that its file and the kubeconfig name now. The cluster before keeps all that was
deployed to it; its drift runs end.

The cluster keeps whose it is in a record of its own (ConfigMap cluster-owner in ananta-system). One that belongs to another
environment is refused, unless it is taken over with --take-over: releases, volumes and Vault on it are this environment's
from then on, and the one before is refused. A protected environment stays protected until --lift-protection, which needs
"protected: false" in its file as well.

Asks for the environment's name. Refused while an operation runs.`,
    examples: [
      ['rebind --env staging', 'Says from where to where, asks, and binds.'],
      ['rebind --env staging --confirm staging --json', 'In a pipeline, on purpose.'],
      [
        'rebind --env green --take-over',
        "The cluster that another environment has, with all that is on it, is green's.",
      ],
      ['rebind --env prod --lift-protection', 'Before "prod" is destroyed on purpose.'],
    ],
  })
    .requiredOption(...REQUIRED_ENVIRONMENT)
    .option('--take-over', 'also where the cluster belongs to another environment, which is refused from then on')
    .option('--lift-protection', 'the cluster is not protected any more; its file has to say so, too')
    .option('--confirm <name>', 'the name of the environment, where nobody can be asked')
    .option('--json', 'one JSON object on standard output')
    .action(async (options: RebindOptions) => {
      const { runRebind } = await import('../../operations/rebind.ts');
      context.finish(await runRebind(context, options));
    });
}
