import type { Command } from 'commander';
import { parseDuration, parseVersion } from '../../shared/arguments.ts';
import { plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { OVERRIDE_FREEZE, parseReason } from '../../shared/reason.ts';
import type { PromoteOptions } from '../../promote/options.ts';

export function promoteCommand(context: CliContext): Command {
  return plainCommand('promote', {
    summary: 'bring what one environment runs to another',
    description: `Deploys to --to exactly what a version of --from holds: the same charts, the same images (by digest where nodes have
reported one) and the same migrations, with the values, secrets and sizes of the target's own file. The version is read
from the cluster of --from, whichever engine deployed it; nothing is changed there.

Refused, before anything is touched: where this checkout holds another chart than the version, or lacks one in its lock
or cache; where a migration would come too late in the target, or the target has run one that cannot be taken back and
that the version does not hold; where the target lacks a secret. Shows the plan of the target before it starts;
protected environments ask for their name.

The version that it leaves in the target names where it comes from: "history" shows it.`,
    examples: [
      ['promote --from staging --to prod', 'What staging runs now, after you have read the plan and typed "prod".'],
      ['promote --from staging --to prod --dry-run', 'What it would do, and the digest of the plan.'],
      ['promote --from staging --to prod --version 12 --confirm prod --json', 'Version 12, in a pipeline.'],
    ],
  })
    .requiredOption('--from <name>', 'environment whose version is promoted')
    .requiredOption('--to <name>', 'environment that gets it')
    .option('--version <version>', 'a version that "history --env FROM" lists; default: the newest', parseVersion)
    .option(
      '--past-no-return',
      'although the target has run migrations that cannot be taken back, and the version lacks',
    )
    .option('--dry-run', 'show the plan and start nothing; exit code 2 where it would change something')
    .option('--digest <digest>', 'carry out the plan that --dry-run has shown, and no other')
    .option('--confirm <name>', 'the name of a protected target, where nobody can be asked')
    .option(...OVERRIDE_FREEZE, parseReason)
    .option('--timeout <duration>', 'end it in good order after this time: 90s, 15m, 1h30m', parseDuration)
    .option('--detach', 'start it and leave it running (exit code 4)')
    .option('--json', 'one event a line on standard output, the result last (use npm run --silent)')
    .action(async (options: PromoteOptions) => {
      const { runPromote } = await import('../../promote/run.ts');
      context.finish(await runPromote(context, options));
    });
}
