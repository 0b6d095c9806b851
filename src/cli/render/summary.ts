/** What a person reads when a deployment has ended. Pure. */
import type { CheckOutcome } from '../../contract/checks.ts';
import type { OperationAct, OperationResult, ServiceOutcome } from '../../contract/operations/deploy.ts';
import { FAILURES } from '../../contract/failures.ts';
import {
  DEPENDENCY_FAILED,
  DEPENDENCY_SKIPPED,
  SKIPPED_BY_REQUEST,
  STOPPED,
  isSuccess,
} from '../../contract/operations/states.ts';
import { actText } from '../../plan/steering/acts.ts';
import { commandLine, count, duration, oneLine, table, truncate, wrap } from '../shared/format.ts';
import type { Style } from '../shared/terminal.ts';
import { wordsOf } from './operation-words.ts';
import { afterDestruction, remainingObjectLines } from './remaining-objects.ts';
import { afterRollback, afterwards, versionLine } from './versions-summary.ts';

export interface SummaryOptions {
  columns: number;
  style: Style;
  /** The pods are simulated on this many nodes; absent where everything is real. */
  simulatedNodes?: number;
  /** In the Temporal UI. */
  url?: string;
  /** For a shell. */
  exports: string[];
  lookAround: [line: string, shows: string][];
}

export function summaryLines(result: OperationResult, options: SummaryOptions): string[] {
  const good = isSuccess(result.outcome);
  return [
    '',
    ...headline(result, options),
    ...(good ? versionLine(result) : []),
    ...tally(result),
    ...(good ? [] : failureLines(result, options)),
    ...afterwards(result, options),
    ...(result.operation === 'destroy'
      ? remainingObjectLines(result, options)
      : good
        ? simulated(result, options)
        : []),
    ...actLines(result.acts ?? [], options),
    ...workflow(result, options),
    ...(good && result.operation !== 'destroy' ? around(options) : []),
    '',
    ...next(result, options),
  ];
}

function headline(result: OperationResult, options: SummaryOptions): string[] {
  const { operation, environment, seconds, criticalPathSeconds, supersededBy } = result;
  const words = wordsOf(result);
  // The critical path is that of the whole platform: a deployment of some services has nothing to do with it.
  const whole = result.services.every(({ state }) => state === 'healthy' || state === 'completed');
  const ratio =
    criticalPathSeconds > 0 && whole
      ? `, ${(seconds / criticalPathSeconds).toFixed(2)} × the critical path of ${duration(criticalPathSeconds)}`
      : '';
  const text: Record<OperationResult['outcome'], string> = {
    succeeded: `${words.done} ${environment} in ${duration(seconds)}${operation === 'deploy' ? ratio : ''}.`,
    unchanged: `${words.unchanged} ${environment}: ${result.services.some(isExcluded) ? 'what was selected' : 'everything'} is as wanted${operation === 'deploy' ? ' and healthy' : ''} (${duration(seconds)}).`,
    failed: `${words.the} ${operation === 'deploy' ? 'to' : 'of'} ${environment} failed after ${duration(seconds)}.`,
    cancelled: `${words.the} ${operation === 'deploy' ? 'to' : 'of'} ${environment} was cancelled after ${duration(seconds)}${supersededBy === undefined ? '' : `: ${supersededBy} took the lock over for a deployment of their own`}.`,
  };
  return [
    options.style(result.outcome === 'failed' || result.outcome === 'cancelled' ? 'bad' : 'good', text[result.outcome]),
  ];
}

/** Skipped for no reason but that nobody asked for it. */
function isExcluded({ state, failure }: ServiceOutcome): boolean {
  return state === 'skipped' && failure === undefined;
}

function tally(result: OperationResult): string[] {
  if (result.services.length === 0) return [];
  const by = new Map<string, number>();
  for (const service of result.services) {
    const state = isExcluded(service) ? 'not selected' : service.state;
    by.set(state, (by.get(state) ?? 0) + 1);
  }
  const { checks = [] } = result;
  const passed = checks.filter((check) => check.passed).length;
  return [
    `  ${count(result.services.length, 'service')}: ${[...by].map(([state, n]) => `${n} ${state}`).join(', ')}`,
    ...(checks.length === 0
      ? []
      : [`  ${count(checks.length, 'check')}: ${passed} passed, ${checks.length - passed} failed`]),
  ];
}

function simulated(result: OperationResult, { simulatedNodes, columns }: SummaryOptions): string[] {
  const text =
    simulatedNodes === undefined
      ? 'Nothing here is simulated.'
      : `Simulated: the pods of all ${result.services.length} services, on ${count(simulatedNodes, 'simulated node')} (KWOK), and what answers their health checks. Real: Temporal, the Kubernetes API with its controllers and scheduler, every Helm release, Vault and its secrets.`;
  return wrap(text, columns - 4).map((line) => `  ${line}`);
}

function workflow(result: OperationResult, { url }: SummaryOptions): string[] {
  return [
    '',
    ...(url === undefined
      ? [`Workflow: ${result.workflowId}, run ${result.runId}`]
      : [`Temporal UI, this very ${result.operation === 'deploy' ? 'deployment' : result.operation}:`, `  ${url}`]),
  ];
}

function around({ exports, lookAround }: SummaryOptions): string[] {
  return [
    '',
    'Look around (in this shell only; nothing of yours is changed):',
    ...exports.map((line) => `  ${line}`),
    ...lookAround.map(([line, shows]) => `  ${line}   # ${shows}`),
  ];
}

/** What people decided, each with its time. */
function actLines(acts: readonly OperationAct[], { columns }: SummaryOptions): string[] {
  if (acts.length === 0) return [];
  return [
    '',
    'What people decided:',
    ...acts.flatMap((act) => hanging(timeOf(act), oneLine(actText(act)), columns - 4)),
  ];
}

/** Coordinated universal time, to the second. */
function timeOf({ at }: OperationAct): string {
  return `  ${at.slice(11, 19)} UTC  `;
}

function hanging(first: string, text: string, width: number): string[] {
  return wrap(text, width - first.length).map(
    (line, index) => `${index === 0 ? first : ' '.repeat(first.length)}${line}`,
  );
}

const NOT_STARTED: [title: string, fits: (type: string | undefined) => boolean][] = [
  ['Not started, because something they depend on failed', (type) => type === DEPENDENCY_FAILED],
  ['Skipped on request', (type) => type === SKIPPED_BY_REQUEST],
  ['Not started, because something they depend on was skipped', (type) => type === DEPENDENCY_SKIPPED],
  ['Not started any more, because it was stopped before', (type) => type === STOPPED],
];

/** Each failure with what is known of it, then what never started because of it. */
function failureLines(result: OperationResult, options: SummaryOptions): string[] {
  const failed = result.services.filter((service) => service.state === 'failed');
  const lack = (result.checks ?? []).filter(({ passed }) => !passed);
  const lines = result.failure
    ? lack.length > 0 && result.failure.type === FAILURES.checkFailed
      ? lack.flatMap((check) => ['', ...oneCheck(check, options)])
      : [
          '',
          ...wrap(oneLine(result.failure.message), options.columns - 4).map((line) =>
            options.style('bad', `  ${line}`),
          ),
        ]
    : [];
  for (const service of failed) lines.push('', ...oneFailure(service, options));
  for (const [title, fits] of NOT_STARTED) {
    const names = result.services
      .filter(({ state, failure }) => state === 'skipped' && fits(failure?.type))
      .map(({ name }) => name);
    if (names.length > 0)
      lines.push(
        '',
        `${title} (${names.length}):`,
        ...wrap(names.join(', '), options.columns - 4).map((line) => `  ${line}`),
      );
  }
  return lines;
}

function oneCheck(
  { service, name, text, seconds, evidence }: CheckOutcome,
  { style, columns }: SummaryOptions,
): string[] {
  return [
    style('bad', `✘ check ${service}/${name}, after ${duration(seconds)}`),
    ...wrap(oneLine(text), columns - 4).map((line) => `  ${line}`),
    ...(evidence === undefined ? [] : [`  Evidence: ${evidence}`]),
  ];
}

function oneFailure(service: ServiceOutcome, { style, columns }: SummaryOptions): string[] {
  const { failure } = service;
  return [
    style('bad', `✘ ${service.name} (phase ${service.phase}), after ${duration(service.seconds)}`),
    ...wrap(oneLine(failure?.message ?? 'no reason was given'), columns - 4).map((line) => `  ${line}`),
    ...(failure?.summary ?? []).map((line) => style('dim', `  | ${truncate(oneLine(line), columns - 5)}`)),
    ...(failure?.evidence === undefined ? [] : [`  Evidence: ${failure.evidence}`]),
  ];
}

function next(result: OperationResult, { style }: SummaryOptions): string[] {
  if (result.operation === 'adopt')
    return [
      `${style('bold', 'Next:')} ${commandLine('plan', '--env', result.environment)}   (${result.givenBack ? 'what the next deployment says of it' : 'what the next deployment makes of it'})`,
    ];
  if (result.operation === 'destroy')
    return [style('bold', 'Next:'), ...table(afterDestruction(result).map(([line, does]) => [`  ${line}`, does]))];
  const env = ['--env', result.environment];
  if (result.operation === 'rollback')
    return [style('bold', 'Next:'), ...table(afterRollback(result).map(([line, does]) => [`  ${line}`, does]))];
  const firstFailed = result.services.find(({ state }) => state === 'failed')?.name;
  const good: [string, string][] = [
    [commandLine('verify', ...env), 'run every health check now'],
    [commandLine('status', ...env), 'how things stand'],
    [commandLine('down', ...env), 'stop what runs here; keeps the data'],
  ];
  const bad: [string, string][] = [
    ...(result.failure?.type === FAILURES.checkFailed
      ? [[commandLine('verify', ...env, '--deep'), 'make every check now'] as [string, string]]
      : []),
    ...(firstFailed === undefined
      ? []
      : [[commandLine('logs', 'helm', firstFailed, ...env), 'what Helm said'] as [string, string]]),
    [commandLine('doctor', ...env), 'is the local stack in order?'],
    [commandLine('deploy', ...env), 'try again: goes on from what is healthy'],
  ];
  return [
    style('bold', 'Next:'),
    ...table((isSuccess(result.outcome) ? good : bad).map(([line, does]) => [`  ${line}`, does])),
  ];
}
