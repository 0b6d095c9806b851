import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { CancelOptions } from '../../operations/cancel.ts';

export function cancelCommand(context: CliContext): Command {
  return environmentCommand('cancel', {
    summary: 'end the running operation in good order',
    description: `Cancels the deployment, rollback, repair or destruction that holds the lock of an environment and waits for its end:
Helm is asked to end its release, nothing further is started, no release stays locked, the lock is free afterwards.
What was done stays; the next deployment goes on from there. The cancel button of the Temporal UI does the same.

Exit code 0: it was cancelled, or nothing was running.`,
    examples: [
      ['cancel --env sandbox', 'Ends what runs on the sandbox.'],
      ['cancel --env staging --queued', 'Takes back the deployment that waits for the lock; what runs goes on.'],
    ],
  })
    .option('--queued', 'take back the deployment that waits for the lock, instead')
    .option('--json', 'one event a line on standard output, the result last (use npm run --silent)')
    .action(async (options: CancelOptions) => {
      const { runCancel } = await import('../../operations/cancel.ts');
      context.finish(await runCancel(context, options));
    });
}
