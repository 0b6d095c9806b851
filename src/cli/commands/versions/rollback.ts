import type { Command } from 'commander';
import { parseDuration, parseVersion } from '../../shared/arguments.ts';
import { plainCommand, REQUIRED_ENVIRONMENT } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { OVERRIDE_FREEZE, parseReason } from '../../shared/reason.ts';
import type { RollbackOptions } from '../../rollback/options.ts';

export function rollbackCommand(context: CliContext): Command {
  return plainCommand('rollback', {
    summary: 'bring an earlier version of the platform back',
    description: `Each successful deployment is a version of the platform: "history" lists them. This brings one back: every release
whose content differs goes back to what it was, whatever depends on a service before the service itself, and is waited
for until it is healthy. Data stay as they are. What is as it was then is left alone.

Before anything is touched: what is not well has its events, logs and conditions kept in a file. A migration marked as
a point of no return stops it, unless told otherwise. Says what will be rolled back before it starts; protected
environments ask for their name.

The rollback is a workflow: Ctrl-C, a lost terminal or a dead machine do not end it. When it was ended half-way, run it
again with the same version: it goes on from there.`,
    examples: [
      ['rollback --env sandbox', 'To the version before the current one.'],
      ['rollback --env staging --to 12 --timeout 30m', 'To version 12, given up in good order after half an hour.'],
      [
        'rollback --env staging --restore --identity backup-key.txt',
        'Over a point of no return, with the database as it was before it.',
      ],
      ['rollback --env prod --to 12 --confirm prod --json', 'A protected environment, in a pipeline.'],
    ],
  })
    .requiredOption(...REQUIRED_ENVIRONMENT)
    .option('--to <version>', 'a version that "history" lists; default: the one before the current', parseVersion)
    .option('--plan <file>', 'carry out the plan in this file, which "plan --operation rollback --out" wrote')
    .option('--past-no-return', 'cross migrations that cannot be taken back; the database keeps what they did')
    .option(
      '--restore',
      'put back the checkpoints of databases that were taken before such migrations, then cross them; with --identity',
    )
    .option('--identity <file>', 'with --restore: private key of one of backup.recipients')
    .option('--confirm <name>', 'the name of a protected environment, where nobody can be asked')
    .option(...OVERRIDE_FREEZE, parseReason)
    .option('--timeout <duration>', 'end it in good order after this time: 90s, 15m, 1h30m', parseDuration)
    .option('--detach', 'start it and leave it running (exit code 4)')
    .option('--json', 'one event a line on standard output, the result last (use npm run --silent)')
    .action(async (options: RollbackOptions) => {
      const { runRollback } = await import('../../rollback/run.ts');
      context.finish(await runRollback(context, options));
    });
}
