import type { Command } from 'commander';
import { parseCount } from '../../shared/arguments.ts';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { LogsOptions } from '../../look/logs.ts';

export function logsCommand(context: CliContext): Command {
  return environmentCommand('logs', {
    summary: "show the logs of a service's pods, or of the worker, the engine or Helm",
    description: `Shows what a service writes, all its pods and Jobs, or what a part of an environment has written on this machine:
  SERVICE           all replicas, each line behind the name of its pod; values of the platform are hidden
  worker            the process that does the work
  engine            Temporal, which keeps track of the work
  helm SERVICE      what Helm said about a service, all its releases
  COMPONENT         whatever else "doctor" lists, as kube-apiserver or vault`,
    examples: [
      ['logs api --follow --env staging', 'All pods of api, as they write; pods that come are followed too.'],
      ['logs api --previous', 'What its containers wrote before they were started anew.'],
      ['logs worker --follow', 'The worker of the sandbox, as it writes.'],
      ['logs helm auth', 'What Helm said about auth.'],
    ],
  })
    .argument('<what>', 'a service; or worker, engine, helm, a component')
    .argument('[service]', 'with helm: the service')
    .option('-f, --follow', 'go on as the log grows, until Ctrl-C')
    .option(
      '-n, --lines <number>',
      'begin with this many last lines, of each container',
      parseCount('--lines', 0, 1_000_000),
      200,
    )
    .option('-p, --previous', 'of containers before their last restart')
    .option('--pods', 'pods of the service, where a component of this machine bears the same name')
    .option('--json', 'of pods: one JSON object a line')
    .action(async (what: string, service: string | undefined, options: LogsOptions) => {
      const { printLogs } = await import('../../look/logs.ts');
      await printLogs(context, what, service, options);
    });
}
