import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { WorkerOptions } from '../../local/worker.ts';

export function workerCommand(context: CliContext): Command {
  return environmentCommand('worker', {
    summary: 'do the work of an environment, in the foreground',
    changesHere: true,
    description: `Runs the process that carries deployments out: it asks the engine for work and talks to Kubernetes, Helm and
Vault. With an embedded engine it is started for you; with an external one, run it where the cluster can be
reached, and keep it running. Ctrl-C or SIGTERM ends it after the steps at hand are in order.`,
    examples: [['worker --env staging', 'Serves staging. "npm run worker -- --env staging" is the same.']],
  }).action(async (options: WorkerOptions) => {
    const { runWorkerHere } = await import('../../local/worker.ts');
    await runWorkerHere(context, options);
  });
}
