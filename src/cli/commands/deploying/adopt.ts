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

With --all this is done for every service whose release is somebody else's: all are shown first, what stands against one is
against all, and they are taken over in the order of the graph. With --references the passwords that run are imported before
(see "secrets import"); while one is missing nothing is taken over.

Asks for the environment's name. Who took it over and when is kept on Helm's record, and in the audit trail. With --undo it is
given back: the marks come off, and nothing else is changed.

With --from it changes nothing: it reads what Terraform, OpenTofu, helm, helmfile or Argo CD have brought up, matches it to the
catalog, and says what becomes of each release, value and password. With --out it writes that as files: keys for the environment,
so that the next plan changes as little as can be, and where each password is now. No file and no line holds a secret.`,
    examples: [
      ['adopt api --env staging', 'Shows what is there in its place, asks, and takes it over.'],
      ['adopt api --env staging --confirm staging --json', 'In a pipeline, on purpose.'],
      ['adopt api --env staging --undo', 'Gives it back to whoever had it.'],
      ['adopt --all --env staging --references adopted/secrets.yaml', 'Everything at once, with its passwords.'],
      ['adopt --all --env staging --undo', 'Gives all of it back.'],
      [
        'adopt --env staging --from terraform.tfstate --out adopted',
        'What a state file holds, as files to go on with.',
      ],
      ['adopt --env staging --from live', 'The same for what the cluster itself says.'],
    ],
  })
    .argument('[service]', 'a service of the catalog; not with --all or --from')
    .option('--all', "every service whose release is somebody else's; with --undo, all that was taken over")
    .option(
      '--references <file>',
      'import the passwords that this file says where to find, before anything is taken over',
    )
    .option(
      '--from <source>',
      'a state file of Terraform or OpenTofu (version 4), or live: the cluster; changes nothing',
    )
    .option('--out <folder>', 'with --from: where environment keys, references to secrets and the list are written')
    .option('--plan <file>', 'carry out the plan in this file, which "plan --operation adopt --out" wrote')
    .option('--undo', 'give back what was taken over: the marks come off, nothing else is changed')
    .option('--confirm <name>', "the environment's name, where nobody can be asked")
    .option(...OVERRIDE_FREEZE, parseReason)
    .option('--json', 'one event a line on standard output, the result last (use npm run --silent)')
    .action(async (service: string | undefined, options: AdoptOptions) => {
      const { runAdopt } = await import('../../adopt/run.ts');
      context.finish(await runAdopt(context, service, options));
    });
}
