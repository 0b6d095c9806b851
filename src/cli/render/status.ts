/** A status report as text and as JSON. Pure. */
import type { ServiceState } from '../../contract/operations/deploy.ts';
import { GOOD_STATES, isSuccess } from '../../contract/operations/states.ts';
import { waitsFor } from '../../plan/progress.ts';
import { actsOf } from '../../plan/steering/acts.ts';
import { heldLines } from '../../plan/steering/words.ts';
import { steeringJson } from './json.ts';
import { type Component, componentLines } from '../shared/components/components.ts';
import { clock, commandLine, count, duration, oneLine, truncate, wrap } from '../shared/format.ts';
import { describeHolder } from '../shared/lock-words.ts';
import type { StatusReport } from '../look/status-report.ts';
import type { Style } from '../shared/terminal.ts';
import { counts, type LiveView, remaining, slow, stateOf } from './live.ts';
import { formatTimeLeft, describeSlow } from './pace-words.ts';
import { waitText } from './waits.ts';
import { OPERATION_WORDS, OUTCOME_WORDS } from './operation-words.ts';

export interface StatusOptions {
  /** Milliseconds since the epoch. */
  now: number;
  columns: number;
  style: Style;
}

export function statusLines(report: StatusReport, options: StatusOptions): string[] {
  const { environment, engineProblem, deployment, components } = report;
  const lines = deployment
    ? [
        ...deploymentLines(environment, deployment, options),
        ...lockLines(report, options),
        ...scheduleLines(report, options),
      ]
    : [engineProblem ?? `Nothing was ever deployed to ${environment} by this engine.`];
  if (report.pods !== undefined && report.pods.real.length > 0)
    lines.push('', ...podLines(report.pods, options.columns));
  const down = components.filter(({ healthy }) => !healthy);
  if (components.length > 0) {
    lines.push(
      '',
      down.length === 0
        ? options.style('good', `All ${components.length} components on this machine run.`)
        : options.style('bad', `${down.length} of ${components.length} components on this machine are down:`),
      ...componentLines(down, options.style),
    );
  }
  return [...lines, '', options.style('bold', 'Next:'), ...nextLines(report, down).map((line) => `  ${line}`)];
}

/** Where a node is real: which services run there. */
function podLines({ real, simulated }: NonNullable<StatusReport['pods']>, columns: number): string[] {
  return [
    ...wrap(`Real pods: ${real.join(', ')}.`, columns),
    ...(simulated.length === 0 ? [] : wrap(`Simulated pods: ${simulated.join(', ')}.`, columns)),
  ];
}

/** Who holds the lock, whether it moves, and who waits for it. */
function lockLines({ holder, queued }: StatusReport, { now, style }: StatusOptions): string[] {
  return [
    ...(holder
      ? [
          `The lock is held by ${describeHolder(holder, now)}${holder.stalled === undefined ? `; ${count(holder.workers, 'worker')} at work.` : '.'}`,
        ]
      : []),
    ...(holder?.stalled === undefined ? [] : [style('bad', `It does not move: ${holder.stalled}.`)]),
    ...(queued ? [`A deployment that ${queued.requestedBy} asked for at ${queued.since} waits for the lock.`] : []),
  ];
}

/** Whether somebody looks after it, in one line. */
function scheduleLines({ environment, schedule }: StatusReport, { style }: StatusOptions): string[] {
  if (schedule === undefined) return [];
  const { paused, note, input, everySeconds, next } = schedule;
  if (paused)
    return [
      style(
        'bad',
        `Drift runs are paused. ${oneLine(note)}${note === '' || /[.!?]$/.test(note) ? '' : '.'} To go on: ${commandLine('drift', 'resume', '--env', environment)}`,
      ),
    ];
  return [
    `Drift runs: ${input?.mode ?? 'mode unknown'}, every ${everySeconds === undefined ? '?' : duration(everySeconds)}${next[0] === undefined ? '' : `, the next at ${next[0]}`}.`,
  ];
}

function deploymentLines(
  environment: string,
  { description, view, url, note }: NonNullable<StatusReport['deployment']>,
  options: StatusOptions,
): string[] {
  const { finished, plan } = view.progress;
  const operation = finished?.operation ?? plan?.operation ?? 'deploy';
  const tally = counts(view);
  const headline =
    description.status === 'RUNNING'
      ? `${environment}: ${OPERATION_WORDS[operation].one} is running for ${clock((options.now - description.startTime.getTime()) / 1000)}: ${tally.ended}/${tally.total} services done${tally.failed > 0 ? `, ${tally.failed} failed` : ''}${leftText(view, options.now)}`
      : `${environment}: the newest ${OPERATION_WORDS[operation].one.replace(/^an? /, '')} ${finished ? OUTCOME_WORDS[finished.outcome] : description.status.toLowerCase()}${finished ? ` after ${duration(finished.seconds)}` : ''}, ${description.startTime.toISOString()}`;
  const good = finished ? isSuccess(finished.outcome) : tally.failed === 0 && note === undefined;
  const lines = [
    options.style(good ? 'good' : 'bad', headline),
    `Workflow ${description.workflowId}, run ${description.runId}${description.status === 'RUNNING' ? ', holds the lock of this environment' : ''}`,
  ];
  if (url !== undefined) lines.push(url);
  if (note !== undefined) lines.push(...wrap(note, options.columns));
  if (view.progress.waits) lines.push(...wrap(`It ${waitText(view.progress.waits, options.now)}.`, options.columns));
  if (description.status === 'RUNNING' && view.progress.steering)
    for (const line of heldLines(view.progress.steering))
      lines.push(...wrap(oneLine(line), options.columns).map((text) => options.style('bad', text)));
  lines.push(...slow(view, options.now).map((one) => options.style('bad', describeSlow(one))));
  if (finished?.failure) lines.push(...wrap(oneLine(finished.failure.message), options.columns));
  for (const { number, title } of plan?.phases ?? []) {
    const services = (plan?.services ?? []).filter(({ phase }) => phase === number);
    const open = services.filter(
      ({ name, action }) => action !== 'excluded' && !GOOD_STATES.includes(stateOf(view, name)),
    );
    const excluded = services.filter(({ action }) => action === 'excluded').length;
    lines.push(
      options.style(
        open.length === 0 ? 'good' : 'bold',
        `${open.length === 0 ? '✔' : ' '} ${String(number).padStart(2)} ${title}: ${services.length - excluded - open.length}/${services.length - excluded}${excluded > 0 ? `, ${excluded} not selected` : ''}`,
      ),
    );
    for (const { name } of open)
      lines.push(truncate(`       ${name}: ${stateText(stateOf(view, name), view, name)}`, options.columns - 1));
  }
  return lines;
}

function leftText(view: LiveView, now: number): string {
  const left = view.past === undefined ? undefined : formatTimeLeft(view, now);
  return left === undefined ? '' : `, ${left}`;
}

function stateText(
  state: ServiceState,
  view: NonNullable<StatusReport['deployment']>['view'],
  service: string,
): string {
  const progress = view.progress.services[service];
  if (progress?.outcome?.failure) return `${state}: ${oneLine(progress.outcome.failure.message)}`;
  if (state === 'waiting') return `waiting for ${waitsFor(view.progress, service).join(', ') || 'its turn'}`;
  return progress?.detail === undefined ? state : `${state}: ${oneLine(progress.detail)}`;
}

function nextLines(
  { environment, deployment, engineProblem, revive }: StatusReport,
  down: readonly Component[],
): string[] {
  const env = ['--env', environment];
  if (revive !== undefined) return [revive];
  if (down.length > 0) return [`${commandLine('up', ...env)}   (starts what is down)`];
  if (deployment?.description.status === 'RUNNING') return [`${commandLine('attach', ...env)}   (watches it)`];
  if (engineProblem !== undefined) return [`${commandLine('doctor', ...env)}   (what is there, what is missing)`];
  if (deployment?.description.status === 'COMPLETED')
    return [`${commandLine('verify', ...env)}   (runs every health check now)`];
  return [`${commandLine('deploy', ...env)}   (installs what is missing)`];
}

/** For programs; stable names. @param now milliseconds since the epoch */
export function statusJson(
  { environment, deployment, engineProblem, components, holder, queued, schedule, pods }: StatusReport,
  now = Date.now(),
): Record<string, unknown> {
  const plan = deployment?.view.progress.plan;
  return {
    environment,
    deployment:
      deployment === undefined
        ? null
        : {
            workflowId: deployment.description.workflowId,
            runId: deployment.description.runId,
            status: deployment.description.status,
            startTime: deployment.description.startTime.toISOString(),
            closeTime: deployment.description.closeTime?.toISOString() ?? null,
            outcome: deployment.view.progress.finished?.outcome ?? null,
            seconds: deployment.view.progress.finished?.seconds ?? null,
            waits: deployment.view.progress.waits ?? null,
            acts: actsOf(deployment.view.progress),
            steering: deployment.view.progress.steering ? steeringJson(deployment.view.progress.steering) : null,
            remaining: remaining(deployment.view, now),
            slow: slow(deployment.view, now).map(({ service: name, ...times }) => ({ name, ...times })),
            services: (plan?.services ?? []).map(({ name, phase }) => {
              const progress = deployment.view.progress.services[name];
              return {
                name,
                phase,
                state: stateOf(deployment.view, name),
                seconds: progress?.outcome?.seconds ?? null,
                changed: progress?.outcome?.changed ?? null,
                detail: progress?.outcome?.failure?.message ?? progress?.detail ?? null,
              };
            }),
          },
    lock: holder ?? null,
    queued: queued ?? null,
    schedule:
      schedule === undefined
        ? null
        : {
            mode: schedule.input?.mode ?? null,
            everySeconds: schedule.everySeconds ?? null,
            paused: schedule.paused,
            note: schedule.note,
            next: schedule.next,
          },
    engine: engineProblem === undefined ? 'reachable' : engineProblem,
    components,
    // Absent where no pod is simulated.
    ...(pods === undefined ? {} : { pods }),
  };
}
