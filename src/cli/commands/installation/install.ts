import { parseReference } from '../../shared/arguments.ts';
import type { Command } from 'commander';
import { plainCommand, REQUIRED_ENVIRONMENT } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { InstallOptions } from '../../install/options.ts';

export function installCommand(context: CliContext): Command {
  return (
    plainCommand('install', {
      summary: 'put the deployer itself into the target cluster, or upgrade it there',
      changesHere: true,
      description: `Installs what carries deployments out into the cluster to which the environment deploys: Temporal on PostgreSQL, its web
interface, and workers of this checkout. From then on a deployment needs nobody's machine: "deploy" starts it, and may be
closed. Where the environment names a Temporal of its own (engine.address), only the workers are installed.

Safe to repeat: what is as it should be is left alone. Safe while a deployment runs: workers are replaced one by one, and each
ends what it has begun. Never deletes a volume, never changes a password, refuses to go back to an older Temporal.`,
      examples: [
        [
          'install --env staging --image registry.ananta.example/platform/ananta-deploy:0.2.0',
          'Installs or upgrades the deployer of staging.',
        ],
        [
          'install --env staging --dry-run',
          'Says what would be installed and prints the objects; touches nothing (exit code 2 when something would).',
        ],
      ],
    })
      // Its name in earlier versions.
      .alias('bootstrap')
      .requiredOption(...REQUIRED_ENVIRONMENT)
      .option(
        '--image <reference>',
        'image made from the Dockerfile of this repository, NAME:TAG or NAME@sha256:DIGEST; default: deployer.image of the environment',
        parseReference,
      )
      .option('--dry-run', 'say what would be done and print the objects as YAML; touches nothing')
      .option('--confirm <name>', 'the name of a protected environment, where nobody can be asked')
      .option('--json', 'one event a line on standard output, the result last (use npm run --silent)')
      .action(async (options: InstallOptions) => {
        const { runInstall } = await import('../../install/run.ts');
        context.finish(await runInstall(context, options));
      })
  );
}
