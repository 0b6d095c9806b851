import type { Command } from 'commander';
import { parseDuration } from '../../shared/arguments.ts';
import { plainCommand, REQUIRED_ENVIRONMENT } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { OVERRIDE_FREEZE, parseReason } from '../../shared/reason.ts';
import type { DestroyOptions } from '../../destroy/options.ts';

export function destroyCommand(context: CliContext): Command {
  return plainCommand('destroy', {
    summary: 'take the platform down; volumes and secrets stay unless told otherwise',
    description: `Removes the whole platform from an environment: every release, whatever depends on a service before the service
itself; then the Secrets made from Vault, definitions (CRDs) of which no object is left anywhere, and the namespaces.

Volumes stay, and with them databases, buckets and Vault with all passwords: a later "deploy" goes on with them. With
--delete-data they are deleted too, and there is no way back. What does not belong to the platform is never deleted: it is
named, and its namespace stays. So is whatever hangs, with what holds it.

Says what goes and what stays, then asks for the environment's name. Protected environments refuse.`,
    examples: [
      ['destroy --env sandbox', "Takes the sandbox's platform down, keeps its data. Asks first."],
      ['destroy --env rehearsal --delete-data --confirm rehearsal --json', 'Everything, data included, in a pipeline.'],
    ],
  })
    .requiredOption(...REQUIRED_ENVIRONMENT)
    .option('--plan <file>', 'carry out the plan in this file, which "plan --operation destroy --out" wrote')
    .option(
      '--delete-data',
      "delete volumes, Vault's data and the records of the deployer as well; there is no way back",
    )
    .option('--confirm <name>', "the environment's name, where nobody can be asked")
    .option(...OVERRIDE_FREEZE, parseReason)
    .option('--timeout <duration>', 'stop in good order after this time: 90s, 15m, 1h30m', parseDuration)
    .option('--detach', 'start it and leave it running (exit code 4)')
    .option('--json', 'one event a line on standard output, the result last (use npm run --silent)')
    .action(async (options: DestroyOptions) => {
      const { runDestroy } = await import('../../destroy/run.ts');
      context.finish(await runDestroy(context, options));
    });
}
