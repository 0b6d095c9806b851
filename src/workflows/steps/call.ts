/** What a step is carried out with, and what comes of it. */
import { ApplicationFailure } from '@temporalio/workflow';
import type {
  DeployInput,
  OperationInput,
  OperationResult,
  RunRef,
  ServiceOutcome,
  ServiceState,
} from '../../contract/operations/deploy.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { OperationPlan, PlannedService, PlannedStep } from '../../contract/operations/plan.ts';
import type { OperationStep } from '../../contract/operations/steps.ts';
import { releaseKey } from '../../plan/observed.ts';
import type { Admission } from '../admission/admission.ts';
import type { Drain } from '../ending/drain.ts';
import type { ServiceSteering } from '../steering/phase.ts';

/** What any operation was started with, as far as steps read it. */
export type OperationRequest = OperationInput &
  Partial<Pick<DeployInput, 'imageTags' | 'promotedFrom'>> & { findings?: DriftFinding[] };

/** What the operation's own steps see of it. */
export interface OperationView {
  input: OperationRequest;
  /** Absent where it could not be made. */
  plan?: OperationPlan;
  services: ServiceOutcome[];
  /** Those that have ended by now. */
  checks?: OperationResult['checks'];
  /** As far as it is known: complete for closing steps. */
  result?: OperationResult;
}

/** What the steps of a service see of its phase. */
export interface ServiceView {
  service: PlannedService;
  helmTimeoutSeconds: number;
  drain: Drain;
  /** Absent in a phase of an earlier version. */
  steering?: ServiceSteering;
  /** Reported to the operation, and shown. */
  note: (state: ServiceState, detail: string) => void;
}

export interface StepCall {
  run: RunRef;
  step: OperationStep;
  operation?: OperationView;
  /** With steps of admission. */
  admission?: Admission;
  at?: ServiceView;
}

export interface StepEnd {
  /** The step waited: the cluster may have changed since the plan was made. */
  waited?: boolean;
  /** Something in the cluster is different now. */
  changed?: boolean;
  /** For people; one line each, no secrets. */
  notes?: string[];
  /** Goes into the result of the operation. */
  result?: Partial<Omit<OperationResult, 'notes'>>;
}

export type CarryOut = (call: StepCall) => Promise<StepEnd>;

export function operationOf({ step, operation }: StepCall): OperationView {
  return operation ?? misplaced(step);
}

export function admissionOf({ step, admission }: StepCall): Admission {
  return admission ?? misplaced(step);
}

export function serviceOf({ step, at }: StepCall): ServiceView {
  return at ?? misplaced(step);
}

/** What was decided on the release that the step is about. */
export function releaseOf(call: StepCall): PlannedStep {
  const { step } = call;
  const found = serviceOf(call).service.steps.find(
    ({ namespace, name }) => releaseKey(namespace, name) === step.release,
  );
  return found ?? misplaced(step);
}

/** @throws always */
export function misplaced({ id, kind }: OperationStep): never {
  throw ApplicationFailure.nonRetryable(
    `Step ${id} of the plan stands where nothing of kind ${kind} can be carried out`,
    FAILURES.unexpected,
  );
}
