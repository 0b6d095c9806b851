import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { VerifyOptions } from '../../operations/verify.ts';

export function verifyCommand(context: CliContext): Command {
  return environmentCommand('verify', {
    summary: 'run the health check of every service, now',
    description: `Asks every service whether it works: pods ready, then its own check (pg_isready, /health, a gRPC health
call, Vault unsealed, Jobs completed), each through the Kubernetes API. Changes nothing.
Warns of images that are frozen and unpatched, such as Bitnami's old ones.

--deep makes the checks of the verification stage as well, as a deployment does after its last service: requests with
what is expected of the answer, queries to Prometheus, and Jobs, which are removed when they have succeeded.

Exit code 0: all are healthy. Exit code 1: at least one is not.`,
    examples: [
      ['verify --env staging', 'Checks all services of staging.'],
      ['verify --env staging --deep', 'Also what the platform has to do as a whole.'],
    ],
  })
    .option('--deep', "also the catalog's checks of the whole platform; smoke Jobs run in the cluster")
    .option('--json', 'one JSON object on standard output')
    .action(async (options: VerifyOptions) => {
      const { runVerify } = await import('../../operations/verify.ts');
      context.finish(await runVerify(context, options));
    });
}
