import type { Command } from 'commander';
import { parseAge, parseDuration } from '../../shared/arguments.ts';
import { plainCommand, REQUIRED_ENVIRONMENT } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { OVERRIDE_FREEZE, parseReason } from '../../shared/reason.ts';
import type { RotateOptions } from '../../rotate/options.ts';

export function rotateCommand(context: CliContext): Command {
  return plainCommand('rotate', {
    summary: 'replace generated secrets by new values while everything runs',
    description: `Gives generated values of the catalog new ones. Former and new are both good until the last reader has moved: the new
value is kept in Vault, then made known to its server; Vault and the Kubernetes Secrets are written; whoever reads them is
restarted in the order of the graph; the server has to take the new value, then refuses the former one, which is tried.

Says what it will do before it starts; protected environments ask for their name. What the catalog does not know how to rotate
is refused by name. The rotation is a workflow: Ctrl-C, a lost terminal or a dead machine do not end it. When it was ended
half-way, run it again: it goes on with the value that it has made.`,
    examples: [
      ['rotate database/main password --env sandbox', 'One value.'],
      ['rotate --all --older-than 90d --env staging', 'Everything that is older than 90 days.'],
      ['rotate --env prod --plan rotate.json --confirm prod', 'What "plan --operation rotate --out" has shown.'],
    ],
  })
    .argument('[path]', 'path below secret/, as in database/main')
    .argument('[key]', 'key of that path; default: each that can be rotated')
    .requiredOption(...REQUIRED_ENVIRONMENT)
    .option('--all', 'every value that can be rotated')
    .option('--older-than <age>', 'of those, the ones that are older than this: 12h, 90d', parseAge)
    .option('--plan <file>', 'carry out the plan in this file, which "plan --operation rotate --out" wrote')
    .option('--confirm <name>', 'the name of a protected environment, where nobody can be asked')
    .option(...OVERRIDE_FREEZE, parseReason)
    .option('--timeout <duration>', 'end it in good order after this time: 90s, 15m, 1h30m', parseDuration)
    .option('--detach', 'start it and leave it running (exit code 4)')
    .option('--json', 'one event a line on standard output, the result last (use npm run --silent)')
    .action(async (path: string | undefined, key: string | undefined, options: RotateOptions) => {
      const { runRotate } = await import('../../rotate/run.ts');
      context.finish(await runRotate(context, path, key, options));
    });
}
