import type { Command } from 'commander';
import { environmentCommand, plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { SecretsOptions } from '../../secrets/secrets.ts';
import type { SecretsImportOptions } from '../../secrets/import.ts';

export function secretsCommand(context: CliContext): Command {
  const list = environmentCommand('list', {
    summary: 'list all secrets of the platform and which are still missing',
    description:
      'Lists every path and key in Vault, how its value comes to be and whether it is there. Never shows a value.\nExit code 1 when a value that you have to supply is missing.',
    examples: [['secrets list --env staging', 'What staging has and lacks.']],
  })
    .option('--json', 'an array on standard output')
    .action(async (options: SecretsOptions) => {
      const { listSecrets } = await import('../../secrets/secrets.ts');
      context.finish(await listSecrets(context, options));
    });
  const set = environmentCommand('set', {
    summary: 'set a value that a third party issued, from standard input',
    changesHere: true,
    description: `Writes one value to Vault. It is read from standard input, never from the command line, where others on
this machine could see it. One line break at the end is cut off. Only keys declared as supplied can be set.`,
    examples: [['secrets set apps/api mail-api-key --env staging < key.txt', 'From a file.']],
  })
    .argument('<path>', 'path below secret/, as in apps/api')
    .argument('<key>', 'key of that path')
    .action(async (path: string, key: string, options: SecretsOptions) => {
      const { setSecret } = await import('../../secrets/secrets.ts');
      await setSecret(context, path, key, options);
    });
  const get = environmentCommand('get', {
    summary: 'show one value, on a terminal only',
    description:
      'Prints one value from Vault. Refuses where standard output is not a terminal, so that no value ends in a log.',
    examples: [['secrets get auth/admin admin-password', 'The password of an administrator.']],
  })
    .argument('<path>', 'path below secret/')
    .argument('<key>', 'key of that path')
    .action(async (path: string, key: string, options: SecretsOptions) => {
      const { getSecret } = await import('../../secrets/secrets.ts');
      await getSecret(context, path, key, options);
    });
  const bring = environmentCommand('import', {
    summary: 'give a new Vault the values of the old one, from Kubernetes Secrets and from a file',
    changesHere: true,
    description: `For the day on which Vault is lost and the databases are not: a deployment is refused then, since no new
passwords are made over old data. Takes the values that the Kubernetes Secrets made from Vault still hold, and those of a
file, and writes each where it is missing; what is there already stays. With --references also those of Secrets that somebody
else has made: so passwords of what "adopt" takes over come into Vault, and none is made anew. Nothing is generated but what --give-up names.
Where Vault does not run yet, the values wait beside the unseal keys for the next deployment. Asks for the environment's
name first.

Exit code 0: nothing is missing. Exit code 2: values are still missing. Exit code 3: refused, nothing was written.`,
    examples: [
      ['secrets import --env staging', 'From the Kubernetes Secrets that are left.'],
      ['secrets import --env staging --file backup.json', 'And from a backup: {"PATH": {"KEY": "VALUE"}}.'],
      ['secrets import --env staging --references adopted/secrets.yaml', 'From Secrets of what is taken over.'],
      ['secrets import --env staging --give-up SERVICE', 'New values where the data may be lost.'],
    ],
  })
    .option('--file <file>', 'JSON with the old values: path, then key, then value; - for standard input')
    .option(
      '--references <file>',
      'YAML that "adopt --out" wrote: path, then key, then namespace, secret and key of a Secret, or output of Terraform',
    )
    .option('--give-up <services>', 'services whose data are given up, with commas: their values are made anew', names)
    .option('--confirm <environment>', 'stands for the answer where nobody can be asked')
    .action(async (options: SecretsImportOptions) => {
      const { importSecrets } = await import('../../secrets/import.ts');
      context.finish(await importSecrets(context, options));
    });
  const secrets = plainCommand('secrets', {
    summary: 'list, set, show and bring back values in Vault',
    description:
      'Most values are generated once and never change. Those that a third party issues (API keys) are set here.',
    examples: [],
  })
    .usage('COMMAND [options]')
    .helpCommand(false);
  return secrets.addCommand(list).addCommand(set).addCommand(get).addCommand(bring);
}

function names(text: string, before: string[] = []): string[] {
  return [
    ...before,
    ...text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  ];
}
