/** The record of drift between two runs: acceptances, repairs for the loop breaker, the last runs. Pure. */
import type { DriftFinding, DriftReport } from '../../contract/drift.ts';
import type { Acceptance, DriftRun, DriftState } from '../../contract/drift-state.ts';
import type { Environment } from '../../environment/schema.ts';
import { shortId } from './key.ts';

const RUNS_KEPT = 50;
/** More findings than this in one message would make histories large; repairable ones come first. */
export const MOST_FINDINGS = 200;

type FlapRule = Pick<Environment['drift'], 'flapLimit' | 'flapWindowSeconds'>;

/** Kinds that nobody can accept: what was not seen may be anything, and a sealed Vault serves nobody. */
export const NEVER_ACCEPTED: readonly DriftFinding['kind'][] = ['not-observable', 'sealed'];

/**
 * The report without what somebody has accepted, as long as it still has the accepted value. A release is applied again
 * as a whole: where it holds something accepted that would undo it, its other findings are reported, and left to a
 * person.
 */
export function withoutAccepted(report: DriftReport, acceptances: readonly Acceptance[]): DriftReport {
  const accepted = new Set(acceptances.map(({ key, valueDigest }) => `${valueDigest} ${key}`));
  const isAccepted = ({ key, valueDigest, kind }: DriftFinding): boolean =>
    !NEVER_ACCEPTED.includes(kind) && accepted.has(`${valueDigest} ${key}`);
  const kept = new Map(
    report.findings
      .filter((finding) => isAccepted(finding) && appliesRelease(finding))
      .map((finding) => [releaseOf(finding), finding]),
  );
  const findings = report.findings
    .filter((finding) => !isAccepted(finding))
    .map((finding): DriftFinding => {
      const inTheWay = appliesRelease(finding) ? kept.get(releaseOf(finding)) : undefined;
      if (inTheWay === undefined) return finding;
      const { repair: _none, ...told } = finding;
      return {
        ...told,
        note: `not repaired: its release would be applied again as a whole, and that would undo what was accepted: ${subjectOf(inTheWay)} (drift unaccept ${shortId(inTheWay.key)}, or put it right by hand)`,
      };
    });
  return { ...report, findings, accepted: report.accepted + report.findings.length - findings.length };
}

function appliesRelease({ repair }: DriftFinding): boolean {
  return repair === 'release' || repair === 'job';
}

function releaseOf({ service, release }: DriftFinding): string {
  return `${service ?? ''}/${release ?? ''}`;
}

/** At most MOST_FINDINGS of them, those that can be repaired first, and how many were left out. */
export function capped(report: DriftReport): DriftReport {
  if (report.findings.length <= MOST_FINDINGS) return report;
  const findings = report.findings
    .toSorted((a, b) => Number(b.repair !== undefined) - Number(a.repair !== undefined))
    .slice(0, MOST_FINDINGS);
  return { ...report, findings, omitted: report.findings.length - findings.length };
}

/**
 * Of these keys the ones that were repaired so often lately that repairing them again makes no sense. @param now
 * milliseconds
 */
export function flapping(
  state: Pick<DriftState, 'repairs'>,
  keys: readonly string[],
  rule: FlapRule,
  now: number,
): string[] {
  return keys.filter((key) => recent(state.repairs[key] ?? [], rule, now).length >= rule.flapLimit);
}

/** One more repair of each key; those before the window are dropped. @param now milliseconds */
export function withRepairs(state: DriftState, keys: readonly string[], rule: FlapRule, now: number): DriftState {
  const at = new Date(now).toISOString();
  const counted = new Set(keys);
  const repairs: DriftState['repairs'] = {};
  for (const key of new Set([...Object.keys(state.repairs), ...keys])) {
    const times = [...recent(state.repairs[key] ?? [], rule, now), ...(counted.has(key) ? [at] : [])];
    // More repairs than the limit need not be kept.
    if (times.length > 0) repairs[key] = times.slice(-rule.flapLimit);
  }
  return { ...state, repairs };
}

/** The newest run in front; a run that is recorded twice is kept once. */
export function withRun(state: DriftState, run: DriftRun): DriftState {
  return { ...state, runs: [run, ...state.runs.filter(({ runId }) => runId !== run.runId)].slice(0, RUNS_KEPT) };
}

/** An acceptance replaces an older one of the same key. */
export function withAcceptances(state: DriftState, acceptances: readonly Acceptance[]): DriftState {
  const keys = acceptances.map(({ key }) => key);
  return { ...state, acceptances: [...state.acceptances.filter(({ key }) => !keys.includes(key)), ...acceptances] };
}

export function withoutAcceptances(state: DriftState, keys: readonly string[]): DriftState {
  return { ...state, acceptances: state.acceptances.filter(({ key }) => !keys.includes(key)) };
}

/** Drops the counts of their repairs: they may be repaired again. */
export function withoutRepairs(state: DriftState, keys: readonly string[]): DriftState {
  return {
    ...state,
    repairs: Object.fromEntries(Object.entries(state.repairs).filter(([key]) => !keys.includes(key))),
  };
}

/** What a finding is about, in one line. */
export function subjectOf({ object, field }: Pick<DriftFinding, 'object' | 'field'>): string {
  return field === undefined ? object : `${object} ${field}`;
}

function recent(times: readonly string[], { flapWindowSeconds }: FlapRule, now: number): string[] {
  return times.filter((time) => Date.parse(time) > now - flapWindowSeconds * 1000);
}
