import type { Command } from 'commander';
import type { ExplainOptions } from '../../look/explain.ts';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';

export function explainCommand(context: CliContext): Command {
  return environmentCommand('explain', {
    summary: 'why a service is not healthy, now, on one screen',
    description: `Asks the cluster and the engine about one service: its health check, what it depends on, Helm's record, workloads, pods,
volume claims, warnings of controllers and kubelets, the last lines of its logs; what the newest operation waits for, tries
again and has met; and what would help. Works without a running operation, and without an engine. Changes nothing.

Values of the platform are hidden in all of it.

Exit code 0: it is healthy. Exit code 1: it is not.`,
    examples: [
      ['explain api --env staging', 'Why api does not get healthy in staging.'],
      ['explain api --json', 'The same for programs.'],
    ],
  })
    .argument('<service>', 'a service of the catalog')
    .option('--json', 'one JSON object on standard output')
    .action(async (service: string, options: ExplainOptions) => {
      const { runExplain } = await import('../../look/explain.ts');
      context.finish(await runExplain(context, service, options));
    });
}
