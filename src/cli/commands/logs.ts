import type { Command } from 'commander';
import { parseCount } from '../shared/arguments.ts';
import { environmentCommand } from '../shared/command.ts';
import type { CliContext } from '../shared/context.ts';
import type { LogsOptions } from '../look/logs.ts';

export function logsCommand(context: CliContext): Command {
  return environmentCommand('logs', {
    summary: 'show the log of the worker, the engine or Helm',
    description: `Shows what a part of an environment has written on this machine:
  worker            the process that does the work
  engine            Temporal, which keeps track of the work
  helm SERVICE      what Helm said about a service, all its releases
  COMPONENT         whatever else "doctor" lists, as kube-apiserver or vault`,
    examples: [
      ['logs worker --follow', 'The worker of the sandbox, as it writes.'],
      ['logs helm auth', 'What Helm said about auth.'],
    ],
  })
    .argument('<what>', 'worker, engine, helm, or a component')
    .argument('[service]', 'with helm: the service')
    .option('-f, --follow', 'go on as the log grows, until Ctrl-C')
    .option('-n, --lines <number>', 'begin with this many last lines', parseCount('--lines', 0, 1_000_000), 200)
    .action(async (what: string, service: string | undefined, options: LogsOptions) => {
      const { printLogs } = await import('../look/logs.ts');
      await printLogs(context, what, service, options);
    });
}
