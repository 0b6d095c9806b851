import type { Command } from 'commander';
import type { ReportOptions } from '../../report/options.ts';
import { parseVersion } from '../../shared/arguments.ts';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';

export function reportCommand(context: CliContext): Command {
  return environmentCommand('report', {
    summary: 'an operation as one HTML file: timeline, failures, retries, changes',
    description: `Writes a file that any browser opens, on a telephone and on paper too, and that asks for nothing outside of itself: when
each service waited, was applied and became healthy; the longest path; what failed, with the end of its evidence; what was
tried again and why; what changed field by field since the version before; charts and images. Made from the engine's
memory and the versions in the cluster: also of somebody else's run, long after, or while it runs. Holds no secret values.`,
    examples: [
      ['report --env staging', 'The newest operation, running or not.'],
      ['report 12 --env staging --out version-12.html', 'The one that made version 12.'],
    ],
  })
    .argument('[version]', 'a version that "history" lists; default: the newest operation', parseVersion)
    .option('--run <id>', 'the operation of this run, which a report of rings or the Temporal UI names')
    .option(
      '-o, --out <file>',
      'where to write it, - for standard output; default: report-<environment>-….html in this folder',
    )
    .option('--json', 'what the file shows, as one JSON object on standard output')
    .action(async (version: number | undefined, options: ReportOptions) => {
      const { runReport } = await import('../../report/run.ts');
      context.finish(await runReport(context, version, options));
    });
}
