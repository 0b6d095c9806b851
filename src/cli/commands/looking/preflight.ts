import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { PreflightOptions } from '../../upgrade/preflight.ts';

export function preflightCommand(context: CliContext): Command {
  return environmentCommand('preflight', {
    summary: 'what stands in the way of another version of Kubernetes',
    description: `Looks for versions of Kubernetes' APIs that it does not serve, or warns of: in what the charts render for it, in
Helm's records of what runs and of every version that a rollback would need, and in what others write into live objects.
Charts that refuse it (kubeVersion) are named, and nodes that are too old for it. Changes nothing.

Exit code 0: nothing is in the way. Exit code 2: something is.`,
    examples: [
      ['preflight --env staging --kubernetes 1.36', 'Before the control plane goes to 1.36.'],
      ['preflight --env staging --kubernetes 1.36 --no-cluster', 'The charts alone.'],
    ],
  })
    .requiredOption('--kubernetes <version>', 'a minor version of Kubernetes, such as 1.36')
    .option('--no-cluster', 'without a look at the cluster: what the charts render alone')
    .option('--json', 'one JSON object on standard output (use npm run --silent)')
    .action(async (options: PreflightOptions) => {
      const { preflightKubernetes } = await import('../../upgrade/preflight.ts');
      context.finish(await preflightKubernetes(context, options));
    });
}
