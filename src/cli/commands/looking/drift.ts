import { type Command, Option } from 'commander';
import { parseCount } from '../../shared/arguments.ts';
import { type CommandText, environmentCommand, plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { OVERRIDE_FREEZE, parseReason } from '../../shared/reason.ts';
import type { ExitCode } from '../../shared/failure.ts';
import type { DriftOptions, DriftRunOptions, ReasonOptions } from '../../drift/options.ts';

type Actions = typeof import('../../drift/index.ts');

export function driftCommand(context: CliContext): Command {
  /** Loaded late, so that help comes at once. */
  const act = (what: (actions: Actions) => Promise<ExitCode>) => async (): Promise<void> => {
    context.finish(await what(await import('../../drift/index.ts')));
  };
  const sub = (name: string, text: CommandText): Command =>
    environmentCommand(name, text).option('--json', 'one JSON object on standard output');
  const withKeys = (command: Command): Command => command.argument('<key...>', 'key or short id, as "drift" shows it');

  const show = sub('show', {
    summary: 'compare now (the default)',
    description: `Compares the cluster and Vault with what was deployed, now, from this machine; needs no worker and changes
nothing. Exit code 0: no drift. Exit code 2: there are findings.`,
    examples: [
      ['drift show --env staging', 'What differs on staging, who changed it, and what a repair would do.'],
      ['drift --json', 'The report as JSON.'],
    ],
  }).action((options: DriftOptions) => act(({ showDrift }) => showDrift(context, options))());

  const runs = sub('runs', {
    summary: 'the last drift runs and how they ended',
    description:
      'Lists the last runs: when, how each ended, how much was found and repaired. Read from the cluster and from the\nengine, as far as each answers.',
    examples: [
      ['drift runs --env staging', 'The last twenty.'],
      ['drift runs --limit 50 --json', 'For a program.'],
    ],
  })
    .option('-n, --limit <number>', 'how many', parseCount('--limit', 1, 1000), 20)
    .action((options: DriftOptions & { limit: number }) => act(({ showRuns }) => showRuns(context, options))());

  const run = sub('run', {
    summary: 'start a drift run now and wait for it',
    description: `Starts the workflow that the schedule starts, in the mode of the environment's file, and shows what came of it.
Skipped while a deployment holds the lock.

Exit code 0: no drift, or all of it repaired. Exit code 2: something is left. Exit code 3: skipped.`,
    examples: [['drift run --env staging --repair', 'Looks, repairs what can be repaired, looks again.']],
  })
    .addOption(new Option('--repair', 'repair what can be repaired, whatever the environment says').conflicts('report'))
    .option('--report', 'only look, whatever the environment says')
    .option(
      '--plan <file>',
      'with --repair: what the plan in this file repairs, which "plan --operation repair --out" wrote',
    )
    .option('--confirm <name>', 'with --repair: the name of a protected environment whose file asks for no repairs')
    .option(...OVERRIDE_FREEZE, parseReason)
    .action((options: DriftRunOptions) => act(({ runDriftNow }) => runDriftNow(context, options))());

  const accept = withKeys(
    sub('accept', {
      summary: 'take a finding as it is now',
      changesHere: true,
      description: `The difference is no drift any more, as long as the value stays what it is now: a further change is drift
again. Kept in the cluster, with who accepted it and why.`,
      examples: [['drift accept n694s4 --reason "scaled for the sale" --env staging', 'By its short id.']],
    }),
  )
    .option('--reason <text>', 'for whoever reads this later')
    .action((keys: string[], options: ReasonOptions) =>
      act(({ acceptFindings }) => acceptFindings(context, keys, options))(),
    );

  const unaccept = withKeys(
    sub('unaccept', {
      summary: 'take an acceptance back',
      changesHere: true,
      description: 'What was accepted is drift again, if it still differs.',
      examples: [['drift unaccept n694s4 --env staging', 'By its short id.']],
    }),
  ).action((keys: string[], options: DriftOptions) =>
    act(({ unacceptFindings }) => unacceptFindings(context, keys, options))(),
  );

  const accepted = sub('accepted', {
    summary: 'list what was accepted, by whom and why',
    description: 'Lists the acceptances that are kept in the cluster.',
    examples: [['drift accepted --env staging', 'All of them.']],
  }).action((options: DriftOptions) => act(({ listAccepted }) => listAccepted(context, options))());

  const reset = withKeys(
    sub('reset', {
      summary: 'repair again what was left alone because it flaps',
      changesHere: true,
      description: `A finding that comes back after each repair is left alone after a few times, and somebody is asked. When what
changed it is gone, this forgets its repairs: the next run repairs it again.`,
      examples: [['drift reset n694s4 --env staging', 'By its short id.']],
    }),
  )
    .alias('resume-repair')
    .action((keys: string[], options: DriftOptions) =>
      act(({ resetFlapping }) => resetFlapping(context, keys, options))(),
    );

  const schedule = sub('schedule', {
    summary: 'when the next run is, in which mode, paused by whom',
    description:
      'Shows the schedule of drift runs as the engine has it. The environment\'s file says what it is to be; "deploy"\nregisters it.',
    examples: [['drift schedule --env staging', 'Mode, interval, next runs.']],
  }).action((options: DriftOptions) => act(({ showSchedule }) => showSchedule(context, options))());

  const pause = sub('pause', {
    summary: 'no scheduled runs until "resume"',
    changesHere: true,
    description:
      'Pauses the schedule, with a note who did it. A run that is under way goes on. A deployment leaves the pause as it is.',
    examples: [['drift pause --reason "database restore" --env staging', 'Before work by hand.']],
  })
    .option('--reason <text>', 'for whoever wonders why it is paused')
    .action((options: ReasonOptions) => act(({ pauseSchedule }) => pauseSchedule(context, options))());

  const resume = sub('resume', {
    summary: 'scheduled runs again',
    changesHere: true,
    description: 'Ends a pause, whoever made it, here or in the Temporal UI. The next run comes when it is due.',
    examples: [['drift resume --env staging', 'After the work.']],
  })
    .option('--reason <text>', 'kept as the note of the schedule')
    .action((options: ReasonOptions) => act(({ resumeSchedule }) => resumeSchedule(context, options))());

  const drift = plainCommand('drift', {
    summary: 'what differs from what was deployed; the schedule that repairs it',
    description: `Drift is what somebody changed after the deployment: with kubectl, in Vault, by an operator. Without a
subcommand: compares now, as "drift show". Exit code 0: no drift. Exit code 2: there are findings.`,
    examples: [
      ['drift --env staging', 'What differs on staging, who changed it, and what a repair would do.'],
      ['drift run --env staging --repair', 'Looks, repairs what can be repaired, looks again.'],
    ],
  })
    .usage('[COMMAND] [options]')
    .helpCommand(false);
  for (const command of [runs, run, accept, unaccept, accepted, reset, schedule, pause, resume])
    drift.addCommand(command);
  return drift.addCommand(show, { isDefault: true });
}
