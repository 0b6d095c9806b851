import type { Command } from 'commander';
import { parseVersion } from '../../shared/arguments.ts';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { HistoryOptions } from '../../history/options.ts';

export function historyCommand(context: CliContext): Command {
  return environmentCommand('history', {
    summary: 'versions of the platform: when, by whom, what changed',
    description: `Each successful deployment or rollback that changed something is a version of the platform, kept in the cluster
itself. With a number: everything of that version, release by release. Needs neither a worker nor the engine.`,
    examples: [
      ['history --env staging', 'All versions that are kept, the newest first.'],
      ['history 12 --env staging', 'Version 12: charts, images, migrations, times.'],
    ],
  })
    .argument('[version]', 'a version that the list shows', parseVersion)
    .option('--json', 'JSON on standard output')
    .action(async (version: number | undefined, options: HistoryOptions) => {
      const { runHistory } = await import('../../history/history.ts');
      context.finish(await runHistory(context, version, options));
    });
}

export function diffCommand(context: CliContext): Command {
  return environmentCommand('diff', {
    summary: 'what differs between two versions of the platform',
    description: `Compares two versions, or one with what runs now: charts, images, migrations, and every field of every object that
Helm applied for them. Values of secrets are never shown, only that they differ. Needs neither a worker nor the engine.

Exit code 0: no difference. Exit code 2: there are differences.`,
    examples: [
      ['diff 11 12 --env staging', 'What version 12 changed.'],
      ['diff 12 --env staging', 'What has changed since version 12.'],
    ],
  })
    .argument('<version>', 'a version that "history" lists', parseVersion)
    .argument('[other]', 'another one; default: what runs now', parseVersion)
    .option('--json', 'JSON on standard output')
    .action(async (version: number, other: number | undefined, options: HistoryOptions) => {
      const { runDiff } = await import('../../history/diff.ts');
      context.finish(await runDiff(context, version, other, options));
    });
}
