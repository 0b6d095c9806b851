/**
 * An explanation as one screen: what is wrong first, then why, from the graph down to the last lines of a log. Pure.
 */
import type { Advice } from '../../plan/explain/advice.ts';
import type { Explanation, OperationExplanation, ReleaseExplanation } from '../../plan/explain/explanation.ts';
import type { PodRow } from '../../plan/explain/pods.ts';
import { commandLine, count, duration, oneLine, table, truncate, wrap } from '../shared/format.ts';
import type { Style } from '../shared/terminal.ts';

export interface ExplanationView {
  environment: string;
  columns: number;
  style: Style;
  /** Milliseconds since the epoch. */
  now: number;
  /** Whether all values of the platform were known when texts were cleaned. */
  cleaned: boolean;
}

const MOST_PODS = 8;
const MOST_LOGS = 2;

export function explanationLines(explanation: Explanation, advice: readonly Advice[], view: ExplanationView): string[] {
  const { service, namespace, healthy, text } = explanation;
  const { style } = view;
  return [
    style(
      healthy ? 'good' : 'bad',
      `${healthy ? '✔' : '✘'} ${service} (${namespace}, ${view.environment}) is ${healthy ? 'healthy' : 'not healthy'}`,
    ),
    ...indented(text, view),
    ...section('Operation', operationLines(explanation, view), view),
    ...section('Depends on', dependencyLines(explanation, view), view),
    ...section(
      'Quotas',
      explanation.quotas.map((quota) => style('bad', truncate(`  ${quota}`, view.columns))),
      view,
    ),
    ...explanation.releases.flatMap((release) =>
      section(headline(release, view), releaseLines(release, healthy, view), view),
    ),
    ...(view.cleaned || healthy
      ? []
      : [
          '',
          ...wrap(
            'Vault is not open to us: values in events and logs are hidden where they look like secrets.',
            view.columns,
          ),
        ]),
    ...adviceLines(advice, view),
  ];
}

function section(title: string, lines: readonly string[], { style }: ExplanationView): string[] {
  return lines.length === 0 ? [] : ['', style('bold', title), ...lines];
}

function indented(text: string, { columns }: Pick<ExplanationView, 'columns'>, by = 2): string[] {
  return wrap(oneLine(text), Math.max(20, columns - by)).map((line) => `${' '.repeat(by)}${line}`);
}

function ago(iso: string, now: number): string {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? '' : `${duration(Math.max(0, now - at) / 1000)} ago`;
}

/** `in 12 s (2026-11-30T12:00:12.000Z)` */
function soon(iso: string, now: number): string {
  const left = (Date.parse(iso) - now) / 1000;
  return left > 0 ? `in ${duration(left)} (${iso})` : `at ${iso}`;
}

function operationLines({ operation, engineProblem }: Explanation, view: ExplanationView): string[] {
  if (engineProblem !== undefined) return indented(`unknown: ${engineProblem}`, view);
  if (!operation) return ['  none yet, by this engine'];
  const { running, state, waitsFor, detail, failure, evidence, retries, causes, held = [], decided = [] } = operation;
  const { healthDeadlineSeconds } = operation;
  return [
    ...indented(
      `${operation.operation}, started ${ago(operation.startedAt, view.now)}, ${running ? 'is running' : 'has ended'}; ${stateLine(operation, state, view)}`,
      view,
    ),
    ...(healthDeadlineSeconds === undefined
      ? []
      : indented(
          `health deadline: ${duration(healthDeadlineSeconds)} for each of its releases (extend gives it more)`,
          view,
        )),
    ...(waitsFor.length > 0 ? indented(`waits for ${waitsFor.join(', ')}`, view) : []),
    ...held.flatMap((line) => indented(line, view)),
    ...decided.flatMap((line) => indented(line, view)),
    ...(detail === undefined ? [] : indented(detail, view)),
    ...causes.flatMap((cause) => indented(`met: ${cause}`, view)),
    ...retries.flatMap(({ activity, attempt, message, nextAt }) =>
      indented(
        `${activity}, attempt ${attempt}${nextAt === undefined ? '' : ` ${soon(nextAt, view.now)}`}: ${message}`,
        view,
      ),
    ),
    ...(failure === undefined ? [] : indented(failure, view)),
    ...(evidence === undefined ? [] : indented(`evidence: ${evidence}`, view)),
  ];
}

function stateLine({ since, running }: OperationExplanation, state: string, { now }: ExplanationView): string {
  if (since === undefined) return state;
  return running ? `${state} for ${ago(since, now).replace(/ ago$/, '')}` : `there it was ${state}, ${ago(since, now)}`;
}

function dependencyLines({ dependsOn }: Explanation, view: ExplanationView): string[] {
  const rows = dependsOn.map(({ service, healthy, text }) => [
    `  ${healthy ? '✔' : '✘'} ${service}`,
    healthy ? '' : truncate(oneLine(text), Math.max(20, view.columns - service.length - 8)),
  ]);
  return table(rows).map((line, index) => view.style(dependsOn[index]?.healthy ? 'good' : 'bad', line.trimEnd()));
}

function headline({ name, helm }: ReleaseExplanation, { now }: ExplanationView): string {
  if (!helm) return `Release ${name}: Helm knows none`;
  return `Release ${name}: revision ${helm.revision}, ${helm.status}, ${ago(helm.writtenAt, now)}`;
}

function releaseLines(release: ReleaseExplanation, healthy: boolean, view: ExplanationView): string[] {
  const { workloads, pods, claims, warnings, logs } = release;
  const { style } = view;
  const troubled = pods.some(({ reason }) => reason !== undefined);
  return [
    ...workloads.map(({ name, status, message }) =>
      style(
        status === 'healthy' ? 'good' : status === 'failed' ? 'bad' : 'busy',
        truncate(`  ${name}: ${oneLine(message)}`, view.columns),
      ),
    ),
    ...podLines(pods, view),
    ...claims.map((claim) => style('bad', `  ${claim}`)),
    ...warnings.flatMap(({ at, object, reason, message, times }) => {
      const when = ago(at, view.now);
      return indented(
        `! ${object}: ${reason} ${message}${times > 1 ? ` (${times} times)` : ''}${when === '' ? '' : `, ${when}`}`,
        view,
      );
    }),
    ...(healthy || !(troubled || workloads.some(({ status }) => status !== 'healthy'))
      ? []
      : logs
          .slice(0, MOST_LOGS)
          .flatMap(({ pod, container, previous, lines }) => [
            style('dim', `  Log of ${pod}, container ${container}${previous ? ', before its restart' : ''}:`),
            ...lines.map((line) => truncate(`    ${oneLine(line)}`, view.columns)),
          ])),
  ];
}

function podLines(pods: readonly PodRow[], { columns, style }: ExplanationView): string[] {
  // Those in trouble first.
  const sorted = [...pods].sort((a, b) => Number(a.reason === undefined) - Number(b.reason === undefined));
  const rows = sorted
    .slice(0, MOST_PODS)
    .map(({ name, phase, ready, restarts, node, reason, message }) => [
      `  pod ${name}`,
      ready ? 'ready' : phase,
      restarts === 0 ? '' : count(restarts, 'restart'),
      node ?? 'no node',
      [reason, message].filter((part) => part !== undefined && part !== '').join(': '),
    ]);
  return [
    ...table(rows).map((line, index) =>
      style(sorted[index]?.reason === undefined ? 'good' : 'bad', truncate(line.trimEnd(), columns)),
    ),
    ...(sorted.length > MOST_PODS ? [`  … and ${sorted.length - MOST_PODS} more`] : []),
  ];
}

function adviceLines(advice: readonly Advice[], { environment, columns, style }: ExplanationView): string[] {
  if (advice.length === 0) return [];
  return [
    '',
    style('bold', 'What helps:'),
    ...advice.flatMap(({ why, next, command }) => [
      ...wrap(`${why} ${next}`, Math.max(20, columns - 2)).map((line) => `  ${line}`),
      ...commandOf(command, environment),
    ]),
  ];
}

function commandOf(command: readonly string[] | undefined, environment: string): string[] {
  const [name, ...args] = command ?? [];
  return name === undefined ? [] : [`    ${commandLine(name, ...args, '--env', environment)}`];
}
