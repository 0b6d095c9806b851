/** Drift on a terminal. Pure. */
import type { DriftFinding, DriftReport, DriftResult } from '../../contract/drift.ts';
import type { Acceptance, DriftRun } from '../../contract/drift-state.ts';
import { shortId } from '../../plan/drift/key.ts';
import { describeAuthor, describeChange, formatCount, describeRepair } from '../../plan/drift/words.ts';
import { commandLine, count, duration, oneLine, table, truncate } from '../shared/format.ts';
import type { Style } from '../shared/terminal.ts';

export interface DriftView {
  flapping: readonly string[];
  style: Style;
  columns: number;
}

/** Findings by service, then what was counted, then what to do. */
export function reportLines(report: DriftReport, view: DriftView): string[] {
  const { style } = view;
  const { findings, environment } = report;
  return [
    ...findingsLines(findings, view),
    ...(report.omitted === undefined ? [] : [`… and ${report.omitted} more`, '']),
    style(
      findings.length === 0 ? 'good' : 'bad',
      findings.length === 0 ? `No drift on ${environment}.` : `Drift on ${environment}: ${formatCount(findings)}.`,
    ),
    comparedLine(report),
    ...(report.simulated === '' ? [] : [style('dim', oneLine(report.simulated))]),
    ...nextLines(findings, view.flapping, environment, style),
  ];
}

export function findingsLines(findings: readonly DriftFinding[], view: DriftView): string[] {
  const services = [...new Set(findings.map(({ service }) => service ?? ''))].sort();
  return services.flatMap((service) => [
    view.style('bold', service === '' ? 'Platform' : service),
    ...findings
      .filter((finding) => (finding.service ?? '') === service)
      .flatMap((finding) => findingLines(finding, view)),
    '',
  ]);
}

function findingLines(finding: DriftFinding, { flapping, style, columns }: DriftView): string[] {
  const { key, kind, object, field, note } = finding;
  const author = describeAuthor(finding);
  return [
    `  ${style('bad', shortId(key))}  ${kind}: ${oneLine(field === undefined ? object : `${object} ${field}`)}`,
    ...(finding.was === undefined && finding.is === undefined
      ? []
      : [`          ${truncate(oneLine(describeChange(finding)), Math.max(60, columns - 11))}`]),
    ...(author === '' ? [] : [`          by ${oneLine(author)}`]),
    style(
      'dim',
      `          ${flapping.includes(key) ? 'left alone: it came back after each repair' : `repair: ${describeRepair(finding)}`}`,
    ),
    ...(note === undefined ? [] : [style('dim', `          ${oneLine(note)}`)]),
  ];
}

function comparedLine({ checked, accepted, ignored, seconds }: DriftReport): string {
  return `Compared in ${duration(seconds)}: ${count(checked.objects, 'object')} of ${count(checked.releases, 'release')}, ${checked.vault} things in Vault, ${count(checked.secrets, 'Secret')}; ${accepted} accepted, ${ignored} ignored.`;
}

function nextLines(
  findings: readonly DriftFinding[],
  flapping: readonly string[],
  environment: string,
  style: Style,
): string[] {
  const [first] = findings;
  if (first === undefined) return [];
  const id = shortId(first.key);
  const flaps = findings.find(({ key }) => flapping.includes(key));
  const next = (line: string, does: string): string => `${style('bold', 'Next:')} ${line}   (${does})`;
  return [
    ...(findings.some(({ repair }) => repair !== undefined)
      ? [next(commandLine('drift', 'run', '--repair', '--env', environment), 'repairs what can be repaired')]
      : []),
    next(commandLine('drift', 'accept', id, '--reason', 'WHY', '--env', environment), `takes ${id} as it is`),
    ...(flaps === undefined
      ? []
      : [
          next(
            commandLine('drift', 'reset', shortId(flaps.key), '--env', environment),
            'repairs it again, once what changes it is gone',
          ),
        ]),
  ];
}

/** What a run that has ended says. */
export function resultLines(result: DriftResult, view: DriftView): string[] {
  const { style } = view;
  const { environment, outcome, reason, report, repaired, flapping, remaining } = result;
  const left = remaining ?? report?.findings ?? [];
  const findingsRepaired = (report?.findings ?? []).filter(({ key }) => repaired.includes(key));
  const seen = { ...view, flapping };
  return [
    ...findingsRepaired.map(({ key, object, field }) =>
      style('good', `✔ repaired ${shortId(key)}  ${oneLine(field === undefined ? object : `${object} ${field}`)}`),
    ),
    ...(findingsRepaired.length > 0 && left.length > 0 ? [''] : []),
    ...findingsLines(left, seen),
    style(
      outcome === 'clean' || outcome === 'repaired' ? 'good' : 'bad',
      `Drift run on ${environment}: ${outcome}${reason === undefined ? '' : `: ${oneLine(reason)}`}${findingsRepaired.length > 0 && outcome !== 'repaired' ? `, ${findingsRepaired.length} repaired` : ''}${left.length > 0 ? `, ${left.length} left` : ''}.`,
    ),
    ...(report === undefined ? [] : [comparedLine(report)]),
    ...(report === undefined || report.simulated === '' ? [] : [style('dim', oneLine(report.simulated))]),
    ...nextLines(left, flapping, environment, style),
  ];
}

/** A run as it is listed: some facts are known to the cluster alone. */
export type ListedRun = Pick<DriftRun, 'at' | 'workflowId' | 'runId'> &
  Partial<Omit<DriftRun, 'outcome'>> & { outcome: string };

export function runLines(runs: readonly ListedRun[], environment: string, style: Style): string[] {
  if (runs.length === 0)
    return [
      `No drift run on ${environment} yet.`,
      `${style('bold', 'Next:')} ${commandLine('drift', 'run', '--env', environment)}   (starts one)`,
    ];
  const known = (value: number | undefined): string => (value === undefined ? '-' : String(value));
  const rows = table([
    ['Ended', 'Outcome', 'Found', 'Repaired', 'Flapping', 'Seconds', 'Workflow'],
    ...runs.map((run) => [
      run.at,
      run.outcome,
      known(run.findings),
      known(run.repaired),
      known(run.flapping),
      run.seconds === undefined ? '-' : run.seconds.toFixed(1),
      `${run.workflowId}${run.reason === undefined ? '' : `  ${oneLine(run.reason)}`}`,
    ]),
  ]);
  return rows.map((row, index) =>
    index === 0
      ? style('bold', row)
      : ['clean', 'repaired', 'skipped', 'running'].includes(runs[index - 1]?.outcome ?? '')
        ? row
        : style('bad', row),
  );
}

export function acceptedLines(acceptances: readonly Acceptance[], environment: string, style: Style): string[] {
  if (acceptances.length === 0) return [`Nothing is accepted on ${environment}.`];
  return acceptances.flatMap(({ key, what, is, reason, by, at }) => [
    `${style('bold', shortId(key))}  ${oneLine(what)}${is === undefined ? '' : `: ${oneLine(is)}`}`,
    style('dim', `        ${oneLine(reason)} (${by}, ${at})`),
  ]);
}
