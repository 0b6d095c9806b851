import type { Command } from 'commander';
import { collectImage } from '../shared/arguments.ts';
import { environmentCommand } from '../shared/command.ts';
import type { CliContext } from '../shared/context.ts';
import { addSelectionOptions } from '../shared/selection-options.ts';
import type { PlanOptions } from '../plan/options.ts';

export function planCommand(context: CliContext): Command {
  const command = environmentCommand('plan', {
    summary: 'what a deployment would change and why, field by field',
    description: `Shows what "deploy" would do now: which services it would create, upgrade, replace, adopt or leave as they
are, and for each object which fields change from what to what. The API server is asked by a dry run,
so that its defaults do not count as changes. Secret values are never shown, only that they differ.

Changes nothing and needs no worker. A cluster that "up" has never made is planned as an empty one.

Exit code 0: nothing to do. Exit code 2: there are changes.`,
    examples: [
      ['plan --env staging --image api=1.4.2', 'What this tag would change in staging.'],
      [
        'plan --env staging --out plan.json',
        'Keeps the plan, to be carried out as it is: deploy --env staging --plan plan.json',
      ],
      ['plan --svg plan.svg', 'The same as a picture.'],
    ],
  }).option(
    '--image <service=tag>',
    'plan this service with another image tag or digest (sha256:…); may be repeated',
    collectImage,
  );
  return addSelectionOptions(command)
    .option('--out <file>', 'keep the plan in this file, for deploy --plan')
    .option('--svg <file>', 'draw the plan: services by what would be done to them')
    .option('--json', 'one JSON object on standard output')
    .action(async (options: PlanOptions) => {
      const { runPlan } = await import('../plan/run.ts');
      context.finish(await runPlan(context, options));
    });
}
