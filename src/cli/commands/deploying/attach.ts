import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { type AttachOptions, FOLLOW_HELP } from '../../deploy/options.ts';

export function attachCommand(context: CliContext): Command {
  return environmentCommand('attach', {
    summary: 'watch the newest deployment, from its beginning',
    description: `Shows the deployment to an environment as "deploy" does, whoever started it and wherever. When it
has already ended, shows how. Ctrl-C stops the watching, not the deployment.`,
    examples: [
      ['attach --env staging', 'Watches what is being deployed to staging.'],
      ['attach --env staging --follow api', 'With what the pods of api write.'],
    ],
  })
    .option('--follow <service>', FOLLOW_HELP)
    .option('--json', 'one event a line on standard output, the result last (use npm run --silent)')
    .action(async (options: AttachOptions) => {
      const { inSession } = await import('../../deploy/in-session.ts');
      const exitCode = await inSession(context, 'attach', options, async (session) => {
        const { attach } = await import('../../deploy/attach.ts');
        return attach(session);
      });
      context.finish(exitCode);
    });
}
