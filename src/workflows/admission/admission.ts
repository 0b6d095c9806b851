/**
 * What an operation waits for before it does anything, and what people decide meanwhile. What it waits for stands in
 * the memo, which can be read without a worker, and in the history.
 */
import { HandlerUnfinishedPolicy } from '@temporalio/common';
import { condition, setHandler, upsertMemo, workflowInfo } from '@temporalio/workflow';
import type { DecideRequest, GateRule } from '../../contract/admission/approvals.ts';
import type { OperationAct, OperationInput, OperationWait, RunRef } from '../../contract/operations/deploy.ts';
import type { FreezeOverride } from '../../contract/admission/freeze.ts';
import { RINGS_PREFIX } from '../../contract/names.ts';
import { type Decided, decisionProblem, requestProblem, standing } from '../../plan/admission/gate.ts';
import { requestPurpose, waitingOverridePurpose } from '../../plan/admission/attestation.ts';
import { overrideProblem } from '../../plan/admission/override.ts';
import { decide, identify, overrideFreeze } from '../messages.ts';
import { measureAdmission } from '../metrics.ts';
import { attestedOf } from './attested.ts';
import { refusedUpdate } from './refused-update.ts';

export interface Admission {
  /** Decisions so far, in their order. */
  acts: readonly OperationAct[];
  /**
   * Of the freeze; absent as long as nobody has overridden it. `by` is as the API server knows them, where `proved`.
   */
  override(): (FreezeOverride & { proved?: true }) | undefined;
  /** The override that the operation was started with is of this person; undefined: of nobody, so there is none. */
  proved(by: string | undefined): void;
  /** Approvals so far, of whatever plan. */
  approvals: readonly Decided[];
  /** Who has said no, and why. */
  rejected(): OperationAct | undefined;
  /** As the API server knows whoever asked for the operation. */
  requester(): string | undefined;
  /** Something was done on it: it is on record from now on. */
  record(act: OperationAct): void;
  /** People decide at this gate on this plan, until it waits for something else. */
  at(gate: GateRule, digest: string): void;
  /**
   * Shown as waiting until `done`, or until `milliseconds` are over.
   * @returns whether it was done
   */
  wait(wait: OperationWait, done: () => boolean, milliseconds: number): Promise<boolean>;
  /** Nothing is waited for any more. */
  goesOn(): void;
  /** When it began to wait for this step; now, where it has not yet. */
  since(step: string): number;
}

/** With what the operation was started. */
export function overrideOf({
  freezeOverride: reason,
  freezeAttestation: attestation,
  requestedBy: by,
}: OperationInput): FreezeOverride | undefined {
  if (reason === undefined) return undefined;
  return attestation === undefined ? { by, reason } : { by, reason, attestation };
}

/** Anybody may write an input: believed is what rings say, which have asked the API server. */
export function provedRequester({ requester }: OperationInput): string | undefined {
  return workflowInfo().parent?.workflowId.startsWith(RINGS_PREFIX) === true ? requester : undefined;
}

/**
 * @param override as the operation was started with it
 * @param proved who has asked for it, where that is known from the start
 * @param onWait called with what it waits for from now on; undefined: for nothing any more
 */
export function createAdmission(
  run: RunRef,
  override: FreezeOverride | undefined,
  proved: string | undefined,
  onWait: (wait: OperationWait | undefined) => void,
): Admission {
  const acts: OperationAct[] = [];
  const approvals: Decided[] = [];
  const began = new Map<string, number>();
  let overridden: ReturnType<Admission['override']> = override;
  let requester = proved;
  if (proved !== undefined) acts.push({ act: 'request', by: proved, at: workflowInfo().startTime.toISOString() });
  let rejected: OperationAct | undefined;
  let waits: OperationWait | undefined;
  let open: { gate: GateRule; digest: string } | undefined;
  const waiting = (): { gate: string; digest: string } | undefined =>
    open && { gate: open.gate.name, digest: open.digest };

  setHandler(
    overrideFreeze,
    async (request) => {
      // As earlier versions took it.
      if (request.attestation === undefined) {
        overridden = request;
        return { by: request.by };
      }
      const { user, purpose } = await attestedOf(run, request.attestation);
      refusedUpdate(purpose === waitingOverridePurpose(run.runId) ? undefined : 'It is made for something else');
      refusedUpdate(overrideProblem(request, waits));
      overridden = { by: user, reason: request.reason, proved: true };
      return { by: user };
    },
    {
      validator: (request: FreezeOverride) => {
        refusedUpdate(overrideProblem(request, waits));
      },
      unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON,
    },
  );
  setHandler(
    identify,
    async ({ attestation }) => {
      const { user, purpose } = await attestedOf(run, attestation);
      refusedUpdate(purpose === requestPurpose(run.runId) ? undefined : 'It is made for something else');
      refusedUpdate(requester === undefined ? undefined : `${requester} has asked for it`);
      requester = user;
      acts.push({ act: 'request', by: user, at: new Date().toISOString() });
      return { user };
    },
    { unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON },
  );
  setHandler(
    decide,
    async (request) => {
      const attested = await attestedOf(run, request.attestation);
      // Much may have happened while the API server was asked.
      refusedUpdate(requestProblem(request, waiting()));
      if (open === undefined) throw new Error('unreachable');
      const { gate, digest } = open;
      const now = Date.now();
      refusedUpdate(
        decisionProblem({ request, rule: gate, attested, runId: run.runId, requester, decided: approvals, now }),
      );
      const { decision, reason } = request;
      const act = { act: decision, by: attested.user, at: attested.at, on: `${gate.name} ${digest}` };
      acts.push(reason === undefined ? act : { ...act, reason });
      if (decision === 'reject') rejected = acts.at(-1);
      else approvals.push({ gate: gate.name, digest, by: attested.user, at: Date.parse(attested.at) });
      const given = standing(gate, digest, approvals, now).length;
      return { gate: gate.name, by: attested.user, given, count: gate.count };
    },
    {
      validator: (request: DecideRequest) => {
        refusedUpdate(requestProblem(request, waiting()));
      },
      unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON,
    },
  );

  const tell = (wait: OperationWait | undefined): void => {
    if (JSON.stringify(wait) === JSON.stringify(waits)) return;
    if (waits && waits.step !== wait?.step) measureAdmission(run, waits);
    waits = wait;
    upsertMemo({ waits: wait ?? null, ...(acts.length > 0 ? { acts } : {}) });
    onWait(wait);
  };
  return {
    acts,
    approvals,
    override: () => overridden,
    proved: (by) => {
      overridden = by === undefined || overridden === undefined ? undefined : { ...overridden, by, proved: true };
    },
    rejected: () => rejected,
    requester: () => requester,
    record: (act) => {
      acts.push(act);
    },
    at: (gate, digest) => {
      open = { gate, digest };
    },
    wait: (wait, done, milliseconds) => {
      tell(wait);
      return condition(done, milliseconds);
    },
    goesOn: () => {
      open = undefined;
      tell(undefined);
    },
    since: (step) => {
      const known = began.get(step) ?? Date.now();
      began.set(step, known);
      return known;
    },
  };
}
