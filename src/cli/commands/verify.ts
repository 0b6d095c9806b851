import type { Command } from 'commander';
import { environmentCommand } from '../shared/command.ts';
import type { CliContext } from '../shared/context.ts';
import type { VerifyOptions } from '../operations/verify.ts';

export function verifyCommand(context: CliContext): Command {
  return environmentCommand('verify', {
    summary: 'run the health check of every service, now',
    description: `Asks every service whether it works: pods ready, then its own check (pg_isready, /health, a gRPC health
call, Vault unsealed, Jobs completed), each through the Kubernetes API. Changes nothing.
Warns of images that are frozen and unpatched, such as Bitnami's old ones.

Exit code 0: all are healthy. Exit code 1: at least one is not.`,
    examples: [['verify --env staging', 'Checks all services of staging.']],
  })
    .option('--json', 'one JSON object on standard output')
    .action(async (options: VerifyOptions) => {
      const { runVerify } = await import('../operations/verify.ts');
      context.finish(await runVerify(context, options));
    });
}
