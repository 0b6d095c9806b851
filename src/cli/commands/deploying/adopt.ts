import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { OVERRIDE_FREEZE, parseReason } from '../../shared/reason.ts';
import type { AdoptOptions } from '../../adopt/options.ts';

export function adoptCommand(context: CliContext): Command {
  return environmentCommand('adopt', {
    summary: 'take over a release that somebody else has installed in the place of a service',
    description: `A release that bears the name of one of the platform's, and that no deployment made, is refused by "plan" and "deploy".
This shows what it is, whose, and what it holds: chart, objects, claims. Once its taking over is confirmed, under the lock of
the environment, it counts as the platform's own. Nothing is applied or deleted: its claims are marked so that Helm keeps
them whatever follows, and the next deployment upgrades it to what the catalog says; "plan" shows that beforehand.

Asks for the environment's name. Who took it over and when is kept on Helm's record, and in the audit trail.`,
    examples: [
      ['adopt api --env staging', 'Shows what is there in its place, asks, and takes it over.'],
      ['adopt api --env staging --confirm staging --json', 'In a pipeline, on purpose.'],
    ],
  })
    .argument('<service>', 'a service of the catalog')
    .option('--plan <file>', 'carry out the plan in this file, which "plan --operation adopt --out" wrote')
    .option('--confirm <name>', "the environment's name, where nobody can be asked")
    .option(...OVERRIDE_FREEZE, parseReason)
    .option('--json', 'one event a line on standard output, the result last (use npm run --silent)')
    .action(async (service: string, options: AdoptOptions) => {
      const { runAdopt } = await import('../../adopt/run.ts');
      context.finish(await runAdopt(context, service, options));
    });
}
