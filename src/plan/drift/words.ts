/** Drift in words: for the Temporal UI, notifications and terminals. Pure, and without Node's modules. */
import type { DriftFinding, DriftReport, DriftResult } from '../../contract/drift.ts';
import { shortId } from './key.ts';

const REPAIRS: Record<NonNullable<DriftFinding['repair']>, string> = {
  release: 'its release is applied again',
  field: 'the field is set back',
  secret: 'the Secret is made again from Vault',
  vault: 'Vault is configured again',
  namespace: 'the namespace is made again',
  job: 'the Job is run again',
  unseal: 'Vault is unsealed',
};

/** What a repair would do, or that there is none. */
export function describeRepair({ repair }: Pick<DriftFinding, 'repair'>): string {
  return repair === undefined ? 'only a person can repair it' : REPAIRS[repair];
}

/** `was → is`, or the kind where there is nothing to compare. */
export function describeChange({ kind, was, is }: Pick<DriftFinding, 'kind' | 'was' | 'is'>): string {
  if (was === undefined && is === undefined) return kind;
  return `${was ?? 'not there'} → ${is ?? 'gone'}`;
}

/** `kubectl-edit, 2026-01-01T00:00:00Z`; empty where nobody knows. */
export function describeAuthor({ by, at }: Pick<DriftFinding, 'by' | 'at'>): string {
  return [by, at].filter((part) => part !== undefined).join(', ');
}

/** One line per finding. */
export function findingLine(finding: DriftFinding): string {
  const { object, field, kind, service } = finding;
  const author = describeAuthor(finding);
  return `${shortId(finding.key)} ${service === undefined ? '' : `${service}: `}${object}${field === undefined ? '' : ` ${field}`} ${kind === 'changed' ? '' : `${kind} `}${
    finding.was === undefined && finding.is === undefined ? '' : `(${describeChange(finding)})`
  }${author === '' ? '' : ` by ${author}`}`.trimEnd();
}

/** One line: how many, of what kinds. */
export function formatCount(findings: readonly Pick<DriftFinding, 'kind'>[]): string {
  if (findings.length === 0) return 'no drift';
  const kinds = new Map<string, number>();
  for (const { kind } of findings) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'} (${[...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ')})`;
}

/** Markdown for the Temporal UI. */
export function driftDetails(
  environment: string,
  result: Pick<DriftResult, 'outcome' | 'reason' | 'report' | 'repaired' | 'flapping' | 'remaining'>,
): string {
  const { outcome, reason, report, repaired, flapping, remaining } = result;
  const lines = [`Environment **${environment}**: **${outcome}**${reason === undefined ? '' : `, ${cell(reason)}`}`];
  if (!report) return lines.join('\n');
  const left = remaining === undefined ? undefined : new Set(remaining.map(({ key }) => key));
  const state = ({ key }: DriftFinding): string =>
    repaired.includes(key)
      ? 'repaired'
      : flapping.includes(key)
        ? 'flaps: left alone'
        : left?.has(key) === true
          ? 'is left'
          : 'found';
  lines.push(
    '',
    `${formatCount(report.findings)}, ${report.accepted} accepted, ${report.ignored} ignored; compared ${report.checked.objects} objects of ${report.checked.releases} releases, ${report.checked.vault} things in Vault, ${report.checked.secrets} Secrets`,
  );
  if (report.simulated !== '') lines.push('', cell(report.simulated));
  if (report.findings.length === 0) return lines.join('\n');
  lines.push('', '| | Service | What | Was → is | Who, when | Then |', '|---|---|---|---|---|---|');
  for (const finding of report.findings) {
    const { key, service, object, field } = finding;
    lines.push(
      `| ${shortId(key)} | ${service ?? ''} | ${cell(field === undefined ? object : `${object} ${field}`)} | ${cell(describeChange(finding))} | ${cell(describeAuthor(finding))} | ${state(finding)} |`,
    );
  }
  if (report.omitted !== undefined) lines.push('', `and ${report.omitted} more`);
  return lines.join('\n');
}

/** What a notification says: what flaps, what was repaired, what is left. */
export function notificationLines(
  { report, repaired, flapping, remaining }: Pick<DriftResult, 'report' | 'repaired' | 'flapping' | 'remaining'>,
  environment: string,
): string[] {
  const findings = report?.findings ?? [];
  const left = remaining ?? findings;
  return [
    ...findings.filter(({ key }) => repaired.includes(key)).map((finding) => `repaired: ${findingLine(finding)}`),
    ...left.map(
      (finding) => `${flapping.includes(finding.key) ? 'flaps, left alone' : 'found'}: ${findingLine(finding)}`,
    ),
    ...omittedLine(report),
    ...(flapping.length > 0
      ? [
          `What flaps was repaired as often as the environment allows. End what changes it, then: drift reset KEY --env ${environment}; or take it as it is: drift accept KEY --env ${environment}`,
        ]
      : []),
  ];
}

function omittedLine(report: DriftReport | undefined): string[] {
  return report?.omitted === undefined ? [] : [`and ${report.omitted} more`];
}

function cell(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
