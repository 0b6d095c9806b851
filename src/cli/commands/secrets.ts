import type { Command } from 'commander';
import { environmentCommand, plainCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import type { SecretsOptions } from '../secrets.ts';

export function secretsCommand(context: CliContext): Command {
  const list = environmentCommand('list', {
    summary: 'list all secrets of the platform and which are still missing',
    description:
      'Lists every path and key in Vault, how its value comes to be and whether it is there. Never shows a value.\nExit code 1 when a value that you have to supply is missing.',
    examples: [['secrets list --env staging', 'What staging has and lacks.']],
  })
    .option('--json', 'an array on standard output')
    .action(async (options: SecretsOptions) => {
      const { listSecrets } = await import('../secrets.ts');
      context.finish(await listSecrets(context, options));
    });
  const set = environmentCommand('set', {
    summary: 'set a value that a third party issued, from standard input',
    description: `Writes one value to Vault. It is read from standard input, never from the command line, where others on
this machine could see it. One line break at the end is cut off. Only keys declared as supplied can be set.`,
    examples: [['secrets set app-plane/cns-service ai-api-key --env staging < key.txt', 'From a file.']],
  })
    .argument('<path>', 'path below secret/, as in app-plane/cns-service')
    .argument('<key>', 'key of that path')
    .action(async (path: string, key: string, options: SecretsOptions) => {
      const { setSecret } = await import('../secrets.ts');
      await setSecret(context, path, key, options);
    });
  const get = environmentCommand('get', {
    summary: 'show one value, on a terminal only',
    description:
      'Prints one value from Vault. Refuses where standard output is not a terminal, so that no value ends in a log.',
    examples: [['secrets get auth/keycloak admin-password', "The password of Keycloak's administrator."]],
  })
    .argument('<path>', 'path below secret/')
    .argument('<key>', 'key of that path')
    .action(async (path: string, key: string, options: SecretsOptions) => {
      const { getSecret } = await import('../secrets.ts');
      await getSecret(context, path, key, options);
    });
  const secrets = plainCommand('secrets', {
    summary: 'list, set and show values in Vault',
    description:
      'Most values are generated once and never change. Those that a third party issues (API keys) are set here.',
    examples: [],
  })
    .usage('COMMAND [options]')
    .helpCommand(false);
  return secrets.addCommand(list).addCommand(set).addCommand(get);
}
