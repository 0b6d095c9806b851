import type { Command } from 'commander';
import type { OverrideOptions } from '../../freeze/override.ts';
import type { FreezeOptions } from '../../freeze/show.ts';
import { environmentCommand, plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { parseReason } from '../../shared/reason.ts';

export function freezeCommand(context: CliContext): Command {
  const show = environmentCommand('show', {
    summary: 'whether the environment is frozen now, until when, and what comes (the default)',
    description: `Reads the freeze windows of the environment's file: which of them lasts now, how long still, and which come next, in
the time zone of the environment. Needs neither cluster nor engine.`,
    examples: [
      ['freeze --env prod', 'May prod be changed now?'],
      ['freeze --env prod --json', 'For a program.'],
    ],
  })
    .option('--json', 'one JSON object on standard output')
    .action(async (options: FreezeOptions) => {
      const { showFreeze } = await import('../../freeze/show.ts');
      context.finish(await showFreeze(context, options));
    });
  const override = environmentCommand('override', {
    summary: 'let the operation go on that waits for the end of a freeze',
    changesHere: true,
    description: `The operation that waits goes on at once. Who said so, when and why is kept in its result and in the audit trail.
An operation that is not started yet takes --override-freeze REASON. Who overrides is proved as with approvals: it takes
"create" on certificatesigningrequests in the target cluster ("rbac show --identity approver").

Exit code 3: nothing waits for the end of a freeze.`,
    examples: [['freeze override --env prod --reason "security patch, agreed with the duty officer"', 'Goes on.']],
  })
    .requiredOption('--reason <text>', 'for whoever reads this later', parseReason)
    .option('--json', 'one JSON object on standard output')
    .action(async (options: OverrideOptions) => {
      const { overrideFreeze } = await import('../../freeze/override.ts');
      context.finish(await overrideFreeze(context, options));
    });
  return plainCommand('freeze', {
    summary: 'when an environment is not to be changed, and exceptions on purpose',
    description: 'Freeze windows of an environment: docs/look-up/freeze.md. Without a further word: "freeze show".',
    examples: [],
  })
    .addCommand(show, { isDefault: true })
    .addCommand(override);
}
