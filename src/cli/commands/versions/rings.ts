import type { Command } from 'commander';
import { collectImage } from '../../shared/arguments.ts';
import { plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { OVERRIDE_FREEZE, parseReason } from '../../shared/reason.ts';
import type { RingsLookOptions, RingsOptions, RingsPlanOptions, RingsReportOptions } from '../../rings/options.ts';

export function ringsCommand(context: CliContext): Command {
  const rings = plainCommand('rings', {
    summary: 'deploy to many environments, one ring after the other',
    description: `A file rings/NAME.yaml lists environments in rings. All of a ring are deployed at once, each under its own lock and by
its own workers; then the ring soaks: for a time, drift is looked for, every service is asked and every check is made,
again and again. Only a ring that stays well lets the next one begin. One that does not ends it, and its deployments are
taken back where the file says so. One workflow does it: all environments of a file share an engine.`,
    examples: [],
  });
  const named = (name: string, summary: string, example: string, description: string): Command =>
    plainCommand(name, { summary, description, examples: [[`rings ${name} world`, example]] }).argument(
      '<name>',
      'a file in rings/, without .yaml',
    );
  rings.addCommand(
    named(
      'plan',
      'what each ring would do',
      'What a deployment of rings/world.yaml would change, ring by ring.',
      'Looks at every environment as "plan" does, and changes nothing. Exit code 2: there are changes.',
    )
      .option('--image <service=tag>', 'as for deploy', collectImage)
      .option('--out <file>', 'keep it, for "rings deploy --plan"')
      .option('--json', 'one JSON object on standard output')
      .action(async (name: string, options: RingsPlanOptions) => {
        const { runRingsPlan } = await import('../../rings/plan.ts');
        context.finish(await runRingsPlan(context, name, options));
      }),
  );
  rings.addCommand(
    named(
      'deploy',
      'deploy ring by ring',
      'Deploys to the environments of rings/world.yaml.',
      'Checks every environment first, then starts the workflow and watches it. Ctrl-C does not end it.',
    )
      .option(
        '--image <service=tag>',
        'deploy this service with another image tag or digest; may be repeated',
        collectImage,
      )
      .option('--confirm <name...>', 'names of protected environments, where nobody can be asked')
      .option('--plan <file>', 'carry out what "rings plan --out" has shown, and nothing else')
      .option(...OVERRIDE_FREEZE, parseReason)
      .option('--detach', 'start it and leave it running (exit code 4)')
      .option('--json', 'one JSON object a line for each change, the result last')
      .action(async (name: string, options: RingsOptions) => {
        const { runRingsDeploy } = await import('../../rings/run.ts');
        context.finish(await runRingsDeploy(context, name, options));
      }),
  );
  rings.addCommand(
    named(
      'status',
      'how far they are',
      'The newest run of rings/world.yaml.',
      `Names for each ring and environment how it stands, and for whom or what a deployment waits: approvals, a freeze, a pause, an
answer. Exit code 0 while they run or when they have succeeded, 1 when they failed, 5 when they were cancelled.`,
    )
      .option('--run <id>', 'a run that "rings history" lists; default: the newest')
      .option('--json', 'one JSON object on standard output')
      .action(async (name: string, options: RingsLookOptions) => {
        const { runRingsStatus } = await import('../../rings/run.ts');
        context.finish(await runRingsStatus(context, name, options));
      }),
  );
  rings.addCommand(
    named(
      'history',
      'earlier runs',
      'Every run of rings/world.yaml, the newest first.',
      'When, by whom, how it ended and why; as long as the engine keeps them. Needs no worker.',
    )
      .option('--json', 'one JSON object on standard output')
      .action(async (name: string, options: RingsLookOptions) => {
        const { runRingsHistory } = await import('../../rings/history.ts');
        context.finish(await runRingsHistory(context, name, options));
      }),
  );
  rings.addCommand(
    named(
      'report',
      'a run as one HTML file',
      'The newest run of rings/world.yaml, as a file.',
      `Writes a file that any browser opens and that asks for nothing outside of itself: when each ring and environment was deployed,
soaked and taken back, why a ring failed, which versions it left, and the runs whose own reports say the rest. Also while they run.`,
    )
      .option('--run <id>', 'a run that "rings history" lists; default: the newest')
      .option(
        '-o, --out <file>',
        'where to write it, - for standard output; default: report-rings-<name>-<run>.html in this folder',
      )
      .option('--json', 'what the file shows, as one JSON object on standard output')
      .action(async (name: string, options: RingsReportOptions) => {
        const { runRingsReport } = await import('../../rings/history.ts');
        context.finish(await runRingsReport(context, name, options));
      }),
  );
  rings.addCommand(
    named(
      'cancel',
      'start nothing further',
      'Ends what runs of rings/world.yaml.',
      'Nothing further starts. Deployments that run are cancelled, and their end is waited for: Helm finishes what it has begun. What is being taken back goes on.',
    ).action(async (name: string) => {
      const { runRingsCancel } = await import('../../rings/run.ts');
      context.finish(await runRingsCancel(context, name));
    }),
  );
  rings.addCommand(
    named(
      'check',
      'is the file sound?',
      'Checks rings/world.yaml.',
      'Reads the file and its environments; asks nobody.',
    ).action(async (name: string) => {
      const { runRingsCheck } = await import('../../rings/run.ts');
      context.finish(await runRingsCheck(context, name));
    }),
  );
  return rings;
}
