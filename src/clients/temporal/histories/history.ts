/** From the events of a deployment's history to the events of the deployment. */
import { AnantaError, type NextStep } from '../../../contract/errors.ts';
import { defaultPayloadConverter } from '@temporalio/common';
import proto, { type temporal } from '@temporalio/proto';
import { type Activities, type InputOf, type OutputOf, PLAN_ACTIVITIES } from '../../../contract/activities.ts';
import type { PlannedCheck } from '../../../contract/checks.ts';
import type {
  OperationAct,
  OperationResult,
  OperationInput,
  OperationWait,
  ServiceProgress,
} from '../../../contract/operations/deploy.ts';
import { SIGNALS } from '../../../contract/messages.ts';
import { type OperationPlan, type Operation, OPERATIONS } from '../../../contract/operations/plan.ts';
import type { Steering } from '../../../contract/operations/steering.ts';
import { applyEvent, type DeploymentEvent, emptyProgress, outcomes } from '../../../plan/progress.ts';
import type { DeploymentHandle } from '../deployments.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
const { EventType } = proto.temporal.api.enums.v1;
const RUN_CHECK: keyof Activities = 'runCheck';
const plansOf: readonly string[] = PLAN_ACTIVITIES;

/** The deployment was terminated from outside: nobody knows what the cluster looks like. */
export class DeploymentTerminatedError extends AnantaError {
  override name = 'DeploymentTerminatedError';
  override readonly next: readonly NextStep[] = [{ command: 'deploy' }];
}

/**
 * Folds the events as it decodes them, so that a cancelled deployment, which has no result of its own, gets one.
 * @returns a function to be called with every event in order; most say nothing, and some of several services
 */
export function createHistoryDecoder(run: DeploymentHandle): (event: HistoryEvent) => DeploymentEvent[] {
  let view = emptyProgress();
  let environment = '';
  let operation: Operation = 'deploy';
  const planEvents = new Set<string>();
  /** Attempts at checks, by the event that has scheduled them. */
  const checkEvents = new Map<string, Pick<PlannedCheck, 'service' | 'name'>>();
  /** What a cancelled operation has said of its end. */
  let ended: Partial<OperationResult> = {};
  const known = (event: DeploymentEvent): DeploymentEvent => {
    view = applyEvent(view, event);
    return event;
  };
  const finished = (result: OperationResult): DeploymentEvent => known({ kind: 'finished', result });
  const composed = (outcome: OperationResult['outcome'], at: number, message?: string): OperationResult => ({
    operation,
    environment,
    workflowId: run.workflowId,
    runId: run.runId,
    outcome,
    services: outcomes(view),
    seconds: (at - view.startedAt) / 1000,
    criticalPathSeconds: view.plan?.criticalPathSeconds ?? 0,
    criticalPath: view.plan?.criticalPath ?? [],
    planDigest: view.plan?.digest ?? '',
    ...(message === undefined ? {} : { failure: { type: 'Unexpected', message } }),
  });
  const checkBegins = (event: HistoryEvent, at: number): DeploymentEvent | undefined => {
    const { activityType, input } = event.activityTaskScheduledEventAttributes ?? {};
    const planned = activityType?.name === RUN_CHECK ? first<InputOf<'runCheck'>>(input)?.check : undefined;
    if (planned === undefined) return undefined;
    const { service, name } = planned;
    checkEvents.set(String(event.eventId), { service, name });
    return known({ kind: 'check', check: { service, name, state: 'running' }, at });
  };
  const checkEnds = (
    check: Pick<PlannedCheck, 'service' | 'name'> | undefined,
    state: 'passed' | 'failed' | 'cancelled',
    at: number,
    text?: string | null,
  ): DeploymentEvent | undefined =>
    check && known({ kind: 'check', check: { ...check, state, ...(text ? { text } : {}) }, at });
  const single = (event: HistoryEvent): DeploymentEvent | undefined => {
    const at = millis(event.eventTime);
    switch (event.eventType) {
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
        environment = first<OperationInput>(event.workflowExecutionStartedEventAttributes?.input)?.environment ?? '';
        operation =
          OPERATIONS.find((known) => known === event.workflowExecutionStartedEventAttributes?.workflowType?.name) ??
          'deploy';
        return known({ kind: 'started', at });
      case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        if (plansOf.includes(event.activityTaskScheduledEventAttributes?.activityType?.name ?? ''))
          planEvents.add(String(event.eventId));
        return checkBegins(event, at);
      case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: {
        const attributes = event.activityTaskCompletedEventAttributes;
        const check = checkEvents.get(String(attributes?.scheduledEventId));
        if (check)
          return checkEnds(check, 'passed', at, first<Awaited<OutputOf<'runCheck'>>>(attributes?.result)?.text);
        const plan = planEvents.has(String(attributes?.scheduledEventId))
          ? first<OperationPlan>(attributes?.result)
          : undefined;
        // Planned again after a wait, with the same in it.
        if (plan === undefined || plan.digest === view.plan?.digest) return undefined;
        return known({ kind: 'plan', plan, at });
      }
      case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
      case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: {
        const { scheduledEventId, failure } =
          event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes ?? {};
        return checkEnds(checkEvents.get(String(scheduledEventId)), 'failed', at, failure?.message);
      }
      case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: {
        const id = event.activityTaskCanceledEventAttributes?.scheduledEventId;
        return checkEnds(checkEvents.get(String(id)), 'cancelled', at);
      }
      case EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED: {
        ended = resultInMemo(event) ?? ended;
        const told = toldByMemo(event, at);
        return told && known(told);
      }
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        return finished(
          first<OperationResult>(event.workflowExecutionCompletedEventAttributes?.result) ?? composed('succeeded', at),
        );
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
        const failure = event.workflowExecutionFailedEventAttributes?.failure;
        return finished(
          first<OperationResult>(failure?.applicationFailureInfo?.details) ??
            composed('failed', at, failure?.message ?? 'The deployment failed'),
        );
      }
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
        return finished(
          first<OperationResult>(event.workflowExecutionCanceledEventAttributes?.details) ?? {
            ...composed('cancelled', at),
            ...ended,
          },
        );
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
        return finished(composed('failed', at, 'The deployment ran into its workflow timeout'));
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
        throw new DeploymentTerminatedError(
          `The deployment was terminated: ${event.workflowExecutionTerminatedEventAttributes?.reason ?? 'no reason given'}. What it had begun was left as it was; deploy again to go on from there.`,
        );
      default:
        return undefined;
    }
  };
  return (event) => {
    const reports = progressIn(event);
    if (reports.length > 0) return reports.map((report) => known({ kind: 'progress', event: report }));
    const said = single(event);
    return said === undefined ? [] : [said];
  };
}

/** What a phase has reported by one signal. */
function progressIn({ workflowExecutionSignaledEventAttributes: signal }: HistoryEvent): ServiceProgress[] {
  if (signal?.signalName !== SIGNALS.serviceProgress) return [];
  return (signal.input?.payloads ?? []).map((payload) => defaultPayloadConverter.fromPayload<ServiceProgress>(payload));
}

/** Each change of the memo is of one thing. */
function toldByMemo(event: HistoryEvent, at: number): DeploymentEvent | undefined {
  const { waits, steering, acts } = event.workflowPropertiesModifiedEventAttributes?.upsertedMemo?.fields ?? {};
  if (steering) return { kind: 'steering', steering: defaultPayloadConverter.fromPayload<Steering>(steering), at };
  if (!waits) return undefined;
  const wait = defaultPayloadConverter.fromPayload<OperationWait | null>(waits) ?? undefined;
  return {
    kind: 'waits',
    at,
    ...(wait ? { wait } : {}),
    ...(acts ? { acts: defaultPayloadConverter.fromPayload<OperationAct[]>(acts) } : {}),
  };
}

function resultInMemo(event: HistoryEvent): Partial<OperationResult> | undefined {
  const { result } = event.workflowPropertiesModifiedEventAttributes?.upsertedMemo?.fields ?? {};
  return result ? defaultPayloadConverter.fromPayload<Partial<OperationResult>>(result) : undefined;
}

function first<T>(payloads: { payloads?: temporal.api.common.v1.IPayload[] | null } | null | undefined): T | undefined {
  const payload = payloads?.payloads?.[0];
  return payload ? defaultPayloadConverter.fromPayload<T>(payload) : undefined;
}

/** Milliseconds since the epoch. */
export function millis(time: temporal.api.history.v1.IHistoryEvent['eventTime']): number {
  return Number(time?.seconds ?? 0) * 1000 + Math.floor((time?.nanos ?? 0) / 1e6);
}
