/**
 * Environments get a deployment ring by ring: all of a ring at once, each under its own lock and by its own workers. A
 * ring that does not stay well ends it; what it has changed is taken back where that was asked for.
 */
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import { FAILURES } from '../../contract/failures.ts';
import type {
  PlannedRing,
  RingsInput,
  RingsView,
  RingTarget,
  RingTargetView,
  RingView,
} from '../../contract/operations/rings.ts';
import { emptyView, failureText, markStates, ringsDetails } from '../../plan/rings/view.ts';
import { failureOf } from '../failure-of.ts';
import { ringsState } from '../messages.ts';
import { type Identified, identifiedBy } from './identified.ts';
import { deployTarget, lookAt, takeBack } from './targets.ts';

/** @throws ApplicationFailure RingFailed, or CancelledFailure, with the view as its detail */
export async function rings(input: RingsInput): Promise<RingsView> {
  const view = emptyView(input, workflowInfo().startTime.getTime());
  const changed = (): void => {
    markStates(view, Date.now());
    setCurrentDetails(ringsDetails(view));
  };
  setHandler(ringsState, () => view);
  const identified = identifiedBy(input, view);
  changed();
  try {
    for (const [at, ring] of input.rings.entries()) {
      const own = view.rings[at];
      if (own === undefined || !(await oneRing(input, ring, own, identified, changed))) break;
    }
  } catch (error) {
    view.outcome = isCancellation(error) ? 'cancelled' : 'failed';
    const running = view.rings.find(({ state }) => state === 'deploying' || state === 'soaking');
    if (running !== undefined) {
      running.state = 'failed';
      running.reasons.push(isCancellation(error) ? 'it was cancelled' : failureOf(error).message);
    }
  }
  if (view.outcome === 'running')
    view.outcome = view.rings.every(({ state }) => state === 'passed') ? 'succeeded' : 'failed';
  for (const ring of view.rings) if (ring.state === 'waiting') ring.state = 'not started';
  view.endedAt = Date.now();
  changed();
  // Can be listed without a worker, and is also known of those that end without a result.
  if (patched('rings end in their memo')) upsertMemo({ rings: view });
  if (view.outcome === 'cancelled') throw new CancelledFailure(`Rings ${input.name} were cancelled`, [view]);
  if (view.outcome === 'failed')
    throw ApplicationFailure.create({
      message: failureText(view),
      type: FAILURES.ringFailed,
      nonRetryable: true,
      details: [view],
    });
  return view;
}

/** @returns whether the next ring may begin */
async function oneRing(
  input: RingsInput,
  ring: PlannedRing,
  view: RingView,
  identified: Identified,
  changed: () => void,
): Promise<boolean> {
  const targets = ring.targets.flatMap((target, at): [RingTarget, RingTargetView][] => {
    const own = view.targets[at];
    return own === undefined ? [] : [[target, own]];
  });
  view.state = 'deploying';
  changed();
  // Whatever ends one of them, the end of the others is waited for.
  const ended = await Promise.allSettled(
    targets.map(async ([target, own]) => {
      await identified.proved(target);
      await deployTarget(input, target, own, changed);
    }),
  );
  // They have ended, each in its way: nothing is taken back, and nothing further starts.
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled');
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  view.reasons.push(
    ...targets.flatMap(([, { environment, state, detail }]) =>
      state === 'failed' || state === 'cancelled' ? [`${environment}: ${detail ?? 'its deployment failed'}`] : [],
    ),
  );
  if (view.reasons.length === 0) await soak(ring, view, targets, changed);
  if (view.reasons.length === 0) {
    view.state = 'passed';
    changed();
    return true;
  }
  view.state = 'failed';
  changed();
  if (ring.onFailure === 'rollback')
    await Promise.all(targets.map(([target, own]) => takeBack(input, target, own, changed)));
  return false;
}

/** Looks at even distances, the last one at the end. */
async function soak(
  { name, soak: { seconds, looks } }: PlannedRing,
  view: RingView,
  targets: readonly [RingTarget, RingTargetView][],
  changed: () => void,
): Promise<void> {
  if (seconds === 0) return;
  view.state = 'soaking';
  view.soaksUntil = Date.now() + seconds * 1000;
  changed();
  const prefix = `${workflowInfo().workflowId}/${workflowInfo().runId.slice(0, 8)}/${name}`;
  for (let look = 1; look <= looks; look += 1) {
    await sleep((seconds * 1000) / looks);
    const found = await Promise.all(
      targets.map(([target]) => lookAt(target, `${prefix}/${target.environment}/${look}`)),
    );
    view.reasons.push(...found.flat());
    if (view.reasons.length > 0) break;
    view.looks = look;
    changed();
  }
  delete view.soaksUntil;
}
