import type { Command } from 'commander';
import type { DecideOptions } from '../../approvals/decide.ts';
import type { ApprovalsOptions } from '../../approvals/show.ts';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { parseReason } from '../../shared/reason.ts';

export function approvalsCommand(context: CliContext): Command {
  return environmentCommand('approvals', {
    summary: 'what waits at a gate, for whose word, and what it would do',
    description: `Shows the operation that waits for approvals (approvals in the environment's file): who asked, whose word counts, who
has given it and until when it counts, and what the plan changes. docs/look-up/approvals.md`,
    examples: [
      ['approvals --env prod', 'What waits on prod.'],
      ['approvals --env prod --json', 'For a program.'],
    ],
  })
    .option('--json', 'one JSON object on standard output')
    .action(async (options: ApprovalsOptions) => {
      const { showApprovals } = await import('../../approvals/show.ts');
      context.finish(await showApprovals(context, options));
    });
}

export function approveCommand(context: CliContext): Command {
  return environmentCommand('approve', {
    summary: 'say yes to the operation that waits at a gate',
    changesHere: true,
    description: `Approves the plan that waits, under the name that the cluster knows you by: you need credentials for it that may create
a CertificateSigningRequest, which carries your name (docs/look-up/approvals.md). An approval counts for one plan, of one run, for a time.

Exit code 3: nothing waits, the plan is another one by now, or your word does not count there.`,
    examples: [['approve --env prod --digest 0123456789abcdef', 'Yes to this plan, and to no other.']],
  })
    .option('--digest <digest>', 'of the plan that you have looked at: refused where another one waits by now')
    .option('--reason <text>', 'for whoever reads this later', parseReason)
    .option('--json', 'one JSON object on standard output')
    .action(async (options: DecideOptions) => {
      const { decide } = await import('../../approvals/decide.ts');
      context.finish(await decide(context, 'approve', options));
    });
}

export function rejectCommand(context: CliContext): Command {
  return environmentCommand('reject', {
    summary: 'say no to the operation that waits at a gate: it ends, untouched',
    changesHere: true,
    description: `Ends the operation that waits, under the name that the cluster knows you by. Whoever may approve may reject.

Exit code 3: nothing waits, the plan is another one by now, or your word does not count there.`,
    examples: [['reject --env prod --reason "not before the holidays"', 'It ends, and nothing was changed.']],
  })
    .requiredOption('--reason <text>', 'for whoever reads this later', parseReason)
    .option('--digest <digest>', 'of the plan that you have looked at: refused where another one waits by now')
    .option('--json', 'one JSON object on standard output')
    .action(async (options: DecideOptions) => {
      const { decide } = await import('../../approvals/decide.ts');
      context.finish(await decide(context, 'reject', options));
    });
}
