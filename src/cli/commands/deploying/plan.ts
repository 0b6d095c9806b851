import { type Command, Option } from 'commander';
import { collectImage, collectText, parseAge, parseVersion } from '../../shared/arguments.ts';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { addSelectionOptions } from '../../shared/selection-options.ts';
import type { PlanOptions } from '../../plan/options.ts';

export function planCommand(context: CliContext): Command {
  const command = environmentCommand('plan', {
    summary: 'what a deployment would change and why, field by field',
    description: `Shows what "deploy" would do now: which services it would create, upgrade, replace, adopt or leave as they
are, and for each object which fields change from what to what. The API server is asked by a dry run,
so that its defaults do not count as changes. Secret values are never shown, only that they differ.

Changes nothing and needs no worker. A cluster that "up" has never made is planned as an empty one.

--operation shows what a rollback, a drift repair, "destroy" or "adopt" (of the service that --only names) would do,
every step with what it waits for and why; kept with --out, each is carried out by its own command with --plan.

Exit code 0: nothing to do. Exit code 2: there are changes.`,
    examples: [
      ['plan --env staging --image api=1.4.2', 'What this tag would change in staging.'],
      [
        'plan --env staging --out plan.json',
        'Keeps the plan, to be carried out as it is: deploy --env staging --plan plan.json',
      ],
      ['plan --svg plan.svg', 'The same as a picture.'],
      [
        'plan --env staging --operation rollback --to 12 --out back.json',
        'What leads back to version 12, step by step.',
      ],
    ],
  }).option(
    '--image <service=tag>',
    'plan this service with another image tag or digest (sha256:…); may be repeated',
    collectImage,
  );
  return addSelectionOptions(command)
    .addOption(
      new Option('--operation <name>', 'plan this operation').choices([
        'deploy',
        'rollback',
        'repair',
        'destroy',
        'adopt',
        'rotate',
      ]),
    )
    .option('--to <version>', 'with a rollback: the version to go back to', parseVersion)
    .option('--past-no-return', 'with a rollback: cross migrations that cannot be taken back')
    .option('--delete-data', "with destroy: volumes and Vault's data as well")
    .option('--secret <path[:key]>', 'with a rotation: of this path or key alone; may be repeated', collectText)
    .option('--older-than <duration>', 'with a rotation: what is older than this: 12h, 90d', parseAge)
    .option('--steps', 'every step instead of the fields that change')
    .option('--out <file>', 'keep the plan in this file, for --plan of the command that carries it out')
    .option('--svg <file>', 'draw the plan: services by what would be done to them, or every step')
    .option('--json', 'one JSON object on standard output')
    .action(async (options: PlanOptions) => {
      const { runPlan } = await import('../../plan/run.ts');
      context.finish(await runPlan(context, options));
    });
}
