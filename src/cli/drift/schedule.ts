import { createSchedules, type ScheduleView } from '../../clients/temporal/index.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { driftScheduleId } from '../../contract/names.ts';
import type { Environment } from '../../environment/schema.ts';
import type { DriftOptions, ReasonOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine, duration, oneLine } from '../shared/format.ts';
import { printLines, type Style } from '../shared/terminal.ts';
import { type Engine, withEngine } from './engine.ts';

export function showSchedule(context: CliContext, options: DriftOptions): Promise<ExitCode> {
  return withEngine(context, options.env, async ({ client, clusterUid, environment }) => {
    const found = await createSchedules(client).describe(driftScheduleId(environment.name, clusterUid));
    return shown(context, options, environment, found);
  });
}

export function pauseSchedule(context: CliContext, options: ReasonOptions): Promise<ExitCode> {
  return change(context, options, (schedules, id) => schedules.pause(id, noteOf('Paused', context, options)));
}

export function resumeSchedule(context: CliContext, options: ReasonOptions): Promise<ExitCode> {
  return change(context, options, (schedules, id) => schedules.resume(id, noteOf('Resumed', context, options)));
}

function noteOf(what: string, { config }: CliContext, { reason }: ReasonOptions): string {
  return `${what} by ${config.requestedBy} at ${new Date().toISOString()}${reason === undefined ? '' : `: ${reason}`}`;
}

function change(
  context: CliContext,
  options: ReasonOptions,
  act: (schedules: ReturnType<typeof createSchedules>, id: string) => Promise<boolean>,
): Promise<ExitCode> {
  return withEngine(context, options.env, async ({ client, clusterUid, environment }: Engine) => {
    const schedules = createSchedules(client);
    const id = driftScheduleId(environment.name, clusterUid);
    if (!(await act(schedules, id))) throw missing(environment);
    return shown(context, options, environment, await schedules.describe(id));
  });
}

function missing({ name, drift }: Environment): Error {
  return drift.mode === 'off'
    ? refused(`"${name}" has no drift runs: environments/${name}.yaml says drift.mode: off.`)
    : refused(
        `"${name}" has no schedule of drift runs yet: a deployment registers it.`,
        commandLine('deploy', '--env', name),
      );
}

function shown(
  { terminal }: CliContext,
  { json }: DriftOptions,
  environment: Environment,
  found: ScheduleView | undefined,
): ExitCode {
  if (json) printLines(terminal.stdout, [JSON.stringify({ environment: environment.name, schedule: found ?? null })]);
  else if (found === undefined) throw missing(environment);
  else printLines(terminal.stdout, scheduleLines(found, environment, terminal.style));
  return EXIT_CODES.done;
}

export function scheduleLines(view: ScheduleView, { name, drift }: Environment, style: Style): string[] {
  const mode = view.input?.mode ?? 'unknown';
  const file = `environments/${name}.yaml`;
  return [
    `Schedule  ${view.id}`,
    `Mode      ${mode}, every ${view.everySeconds === undefined ? '?' : duration(view.everySeconds)}`,
    ...(mode === drift.mode
      ? []
      : [
          style(
            'bad',
            `          ${file} says ${drift.mode}: that counts from the next run on; the next deployment changes the schedule itself`,
          ),
        ]),
    ...(view.everySeconds === drift.everySeconds
      ? []
      : [style('bad', `          ${file} says every ${duration(drift.everySeconds)}: the next deployment changes it`)]),
    view.paused
      ? style('bad', `State     paused. ${oneLine(view.note)}`)
      : `State     ${view.running.length > 0 ? `running: ${view.running.map(({ workflowId }) => workflowId).join(', ')}` : 'waiting'}${view.note === '' ? '' : `. ${oneLine(view.note)}`}`,
    ...(view.paused ? [] : [`Next      ${view.next.join(', ')}`]),
    `So far    ${view.runs} runs, ${view.skippedForOverlap} left out because the one before was still running, ${view.missed} missed while the engine was away`,
    ...(view.paused ? [`${style('bold', 'Next:')} ${commandLine('drift', 'resume', '--env', name)}`] : []),
  ];
}
