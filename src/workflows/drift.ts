/**
 * One drift run: detects drift, repairs it where allowed, looks again, records the result and notifies. Never while an
 * operation holds the lock.
 */
import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  patched,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Activities } from '../contract/activities.ts';
import type { OperationResult, RunRef } from '../contract/operations/deploy.ts';
import type { DriftFinding, DriftInput, DriftReport, DriftResult } from '../contract/drift.ts';
import { FAILURES } from '../contract/failures.ts';
import type { LockHolder } from '../contract/lock.ts';
import type { NotifyEvent } from '../contract/notify-events.ts';
import type { RepairInput } from '../contract/operations/repair.ts';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.ts';
import { startOptionsOf } from '../contract/operations/start-options.ts';
import { isRepairable } from '../plan/drift/repairable.ts';
import { formatCount, driftDetails, notificationLines } from '../plan/drift/words.ts';
import { writes, reads, surveys } from './activity-proxies.ts';
import { failureOf } from './failure-of.ts';
import { measureDrift } from './metrics.ts';
import { startNotification, sendNotification, sendsBeside } from './notifications/send.ts';
import { repair } from './operation.ts';

type Found = Pick<
  DriftResult,
  'outcome' | 'reason' | 'report' | 'repaired' | 'flapping' | 'remaining' | 'repairDigest'
> & {
  /** Keys that a repair was tried on. */
  attempted: string[];
  /** Events of which anybody is notified. */
  wanted?: readonly NotifyEvent[];
};

/**
 * @throws ApplicationFailure DriftFailed with the result as its detail, when the cluster could not be compared or a
 * repair has failed
 */
export async function drift(input: DriftInput): Promise<DriftResult> {
  const info = workflowInfo();
  const run: RunRef = {
    environment: input.environment,
    imageTags: {},
    clusterUid: input.clusterUid,
    workflowId: info.workflowId,
    runId: info.runId,
  };
  setCurrentDetails(`Environment **${input.environment}**: comparing the cluster with what was deployed`);
  let found: Found;
  try {
    found = await look(input, run);
  } catch (error) {
    if (isCancellation(error)) throw error;
    found = { ...nothing, outcome: 'failed', reason: failureOf(error).message };
  }
  const { attempted, wanted, ...rest } = found;
  const result: DriftResult = { environment: input.environment, ...rest };
  if (input.preview && result.outcome !== 'failed') return result;
  measureDrift(result);
  setCurrentDetails(driftDetails(input.environment, result));
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.drift, value: result.outcome }]);
  await remember(run, result, attempted, (Date.now() - info.startTime.getTime()) / 1000);
  await tellOf(run, result, wanted);
  if (result.outcome === 'failed')
    throw ApplicationFailure.create({
      message: result.reason ?? 'The drift run failed',
      type: FAILURES.driftFailed,
      nonRetryable: true,
      details: [result],
    });
  return result;
}

/** Of runs that began with an older worker. */
const LOOKS_AT_THE_LOCK_AGAIN = 'drift looks at the lock again';

const nothing = { repaired: [], flapping: [], attempted: [] };

async function look(input: DriftInput, run: RunRef): Promise<Found> {
  const first = await holderOf(run, 'Who holds the lock');
  const held = first?.waits ? undefined : first?.text;
  if (held !== undefined) return { ...nothing, outcome: 'skipped', reason: held };
  const { report, flapping, mode, repairDigest, frozen, notifications } = await survey(
    run,
    'Compare the cluster with what was deployed',
  );
  const found: Found = {
    ...nothing,
    ...(notifications ? { wanted: notifications } : {}),
    outcome: report.findings.length === 0 ? 'clean' : 'drifted',
    report,
    flapping,
    ...(repairDigest === undefined ? {} : { repairDigest }),
  };
  if (report.findings.length === 0) return found;
  if (input.requestedBy === undefined && mode === 'off')
    return {
      ...nothing,
      outcome: 'skipped',
      reason: 'the environment says drift.mode: off by now; the next deployment removes the schedule',
    };
  // Differences that a running operation is just making are not drift.
  const meanwhile = patched(LOOKS_AT_THE_LOCK_AGAIN)
    ? await holderOf(run, 'Nobody has begun an operation meanwhile')
    : undefined;
  if (meanwhile !== undefined && !meanwhile.waits)
    return { ...nothing, outcome: 'skipped', reason: `${meanwhile.text}: what was seen meanwhile does not count` };
  const repairable = report.findings.filter((finding) => isRepairable(finding, flapping));
  // A person says what is to be done; the schedule asks the environment's file, which may have been edited since it was
  // registered.
  const repairs = input.requestedBy === undefined ? (mode ?? input.mode) === 'repair' : input.mode === 'repair';
  if (!repairs || repairable.length === 0) return found;
  // An operation that waits for the end of a freeze, or for somebody, changes nothing; but it holds the lock.
  const waiting = meanwhile ?? first;
  if (waiting) return { ...found, reason: `only reported, nothing was repaired: ${waiting.text}` };
  if (frozen !== undefined && input.freezeOverride === undefined)
    return { ...found, reason: `only reported, nothing was repaired: ${input.environment} ${frozen}` };
  if (input.expectedDigest !== undefined && input.expectedDigest !== repairDigest)
    return {
      ...found,
      outcome: 'skipped',
      reason:
        'what there is to repair is no longer what was shown, and nothing was repaired: run the command again and look at what it shows',
    };
  setCurrentDetails(driftDetails(input.environment, { ...found, reason: `repairing ${repairable.length}` }));
  return remediate(input, run, found, report, repairable);
}

/** @returns who holds the lock, in words, and whether it waits without having begun; undefined when it is free */
async function holderOf(run: RunRef, summary: string): Promise<{ text: string; waits: boolean } | undefined> {
  const { holder } = await reads.lockHolder.executeWithOptions({ summary }, [
    { environment: run.environment, clusterUid: run.clusterUid },
  ]);
  return holder && { text: heldBy(holder), waits: Boolean(holder.waits) };
}

async function remediate(
  input: DriftInput,
  run: RunRef,
  found: Found,
  before: DriftReport,
  repairable: DriftFinding[],
): Promise<Found> {
  let failure: string | undefined;
  let notes: readonly string[] = [];
  try {
    notes = (await startRepair(input, run, repairable)).notes ?? [];
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError)
      return {
        ...found,
        outcome: 'skipped',
        reason: 'an operation took the lock before the repair could: the next run looks again',
      };
    // When the child alone is cancelled, for example because its lock is taken over, this run goes on.
    if (isCancellation(error)) {
      if (CancellationScope.current().consideredCancelled) throw error;
      return { ...found, reason: 'the repair was stopped from outside: the next run goes on' };
    }
    failure = failureOf(error).message;
  }
  const { report, flapping } = await survey(run, 'Look again after the repair');
  const left = new Set(report.findings.map(({ key }) => key));
  const attempted = repairable.map(({ key }) => key);
  return {
    ...(found.wanted ? { wanted: found.wanted } : {}),
    outcome: failure !== undefined ? 'failed' : report.findings.length === 0 ? 'repaired' : 'drifted',
    ...(failure !== undefined
      ? { reason: `the repair failed: ${failure}` }
      : notes.length > 0
        ? { reason: notes.join('; ') }
        : {}),
    report: before,
    attempted,
    repaired: attempted.filter((key) => !left.has(key)),
    flapping: [...new Set([...found.flapping, ...flapping])],
    remaining: report.findings,
  };
}

async function startRepair(input: DriftInput, run: RunRef, findings: DriftFinding[]): Promise<OperationResult> {
  const { environment, clusterUid } = input;
  const requestedBy = input.requestedBy ?? 'the drift schedule';
  const args: RepairInput = {
    environment,
    clusterUid,
    requestedBy,
    findings,
    ...(input.confirmation ? { confirmation: input.confirmation } : {}),
    ...(input.freezeOverride === undefined ? {} : { freezeOverride: input.freezeOverride }),
    ...(input.freezeAttestation === undefined ? {} : { freezeAttestation: input.freezeAttestation }),
  };
  return executeChild(repair, {
    // Under the lock: nothing else may change the platform meanwhile.
    ...startOptionsOf('repair', args),
    staticDetails: `Requested by ${requestedBy}; found by ${run.workflowId}`,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    args: [args],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

function survey(run: RunRef, summary: string): ReturnType<Activities['findDrift']> {
  return surveys.findDrift.executeWithOptions({ summary }, [run]);
}

/** A cluster that does not answer cannot keep the record: then only the run's search attribute says how it ended. */
async function remember(run: RunRef, result: DriftResult, attempted: string[], seconds: number): Promise<void> {
  const { outcome, report, repaired, flapping, reason } = result;
  try {
    await CancellationScope.withTimeout(60_000, () =>
      writes.recordDrift.executeWithOptions({ summary: `Remember: ${outcome}` }, [
        {
          run,
          outcome,
          attempted,
          findings: report?.findings.length ?? 0,
          repaired: repaired.length,
          flapping: flapping.length,
          seconds,
          ...(reason === undefined ? {} : { reason }),
        },
      ]),
    );
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) throw error;
  }
}

/** Notifies of findings and failures; whatever sends it knows what was sent before. */
async function tellOf(run: RunRef, result: DriftResult, wanted: Found['wanted']): Promise<void> {
  const { outcome, reason, report, repaired, flapping, remaining } = result;
  if (outcome === 'clean' || outcome === 'skipped') return;
  const findings = report?.findings ?? [];
  const title =
    outcome === 'failed'
      ? `The drift run on ${run.environment} failed: ${reason ?? ''}`
      : `Drift on ${run.environment}: ${formatCount(findings)}${repaired.length > 0 ? `, ${repaired.length} repaired` : ''}${flapping.length > 0 ? `, ${flapping.length} flapping` : ''}`;
  const message = {
    run,
    event: repaired.length > 0 ? 'repair' : 'drift',
    title,
    lines: [
      ...notificationLines(result, run.environment),
      ...(outcome === 'drifted' && reason !== undefined ? [reason] : []),
    ],
    about: [
      outcome,
      ...(remaining ?? findings).map(({ kind, key }) => `${kind} ${key}`),
      ...repaired.map((key) => `repaired ${key}`),
      ...flapping.map((key) => `flapping ${key}`),
    ],
  } satisfies Parameters<typeof sendNotification>[1];
  try {
    // Without a report the targets of notifications are not known; the activity reads them from the environment's file.
    if (wanted === undefined && report === undefined && sendsBeside()) await startNotification(message);
    else await sendNotification(wanted, message, 'Notify of the findings');
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}

function heldBy({ operation, requestedBy, since, waits, stalled }: LockHolder): string {
  return `${operation} by ${requestedBy} holds the lock since ${since}${waits ? `, and ${waits.reason}` : ''}${stalled === undefined ? '' : `; ${stalled}`}`;
}
