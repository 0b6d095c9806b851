import type { Command } from 'commander';
import { environmentCommand, plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { EnvCheckOptions, EnvShowOptions } from '../../look/env.ts';

export function envCommand(context: CliContext): Command {
  const check = plainCommand('check', {
    summary: 'check environment files, and the files that they name',
    description: `Reads each file in environments/ with all that it extends, and tells everything that is wrong with it by file and field.
Looks for the certificates, keys and locks that it names on this machine. What is right so far is rendered, chart by chart, and
each object compared with the schemas and rules of Kubernetes; publishers' charts that are not on this machine are named. Asks
no cluster and no engine, fetches and changes nothing.

Exit code 3: something is wrong.`,
    examples: [
      ['env check', 'All environments.'],
      ['env check prod', 'One.'],
      ['env check --no-charts', 'The files alone, at once.'],
    ],
  })
    .argument('[name...]', 'environments; all when none is given')
    .option('--no-charts', 'leave out what comes of the charts')
    .option('--json', 'one JSON object on standard output')
    .action(async (names: string[], options: EnvCheckOptions) => {
      const { checkEnvironments } = await import('../../look/env.ts');
      context.finish(await checkEnvironments(context, names, options));
    });
  const show = environmentCommand('show', {
    summary: 'print an environment as it comes out of all its files',
    description:
      'Prints what a file says together with what it extends and with every default, as YAML. Environment files hold no secret, only names of files and Secrets.',
    examples: [['env show --env prod', 'What prod really is.']],
  })
    .option('--json', 'one JSON object on standard output')
    .action(async (options: EnvShowOptions) => {
      const { showEnvironment } = await import('../../look/env.ts');
      await showEnvironment(context, options);
    });
  const env = plainCommand('env', {
    summary: 'check and show environment files',
    description: 'Environments are YAML files in environments/; docs/look-up/environments.md explains their keys.',
    examples: [],
  })
    .usage('COMMAND [options]')
    .helpCommand(false);
  return env.addCommand(check).addCommand(show);
}
