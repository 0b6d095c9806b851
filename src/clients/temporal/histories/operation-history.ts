/** The whole history of one operation in the engine, its phases included; works while it runs, and long after. */
import { status } from '@grpc/grpc-js';
import { type Client, isGrpcServiceError } from '@temporalio/client';
import proto, { type temporal } from '@temporalio/proto';
import { defaultPayloadConverter } from '@temporalio/common';
import type { OperationInput } from '../../../contract/operations/deploy.ts';
import { phaseWorkflowId } from '../../../contract/names.ts';
import type { DeploymentEvent } from '../../../plan/progress.ts';
import type { Attempt } from '../../../plan/report/report.ts';
import type { DeploymentHandle } from '../deployments.ts';
import { readableEvents } from '../encryption/readable.ts';
import { DeploymentTerminatedError, millis } from './history.ts';
import { decodeHistory } from './read.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
const { EventType } = proto.temporal.api.enums.v1;

export interface OperationHistory {
  /** As it was asked for; empty where the history does not say. */
  requestedBy: string;
  events: DeploymentEvent[];
  /** Of the operation and of its phases. */
  retries: Attempt[];
  /** Somebody has terminated it: nobody knows how the cluster was left. */
  terminated?: { at: number; message: string };
}

/** @returns undefined where the engine no longer has it */
export async function readOperation(client: Client, run: DeploymentHandle): Promise<OperationHistory | undefined> {
  const history = await historyOf(client, run.workflowId, run.runId);
  if (!history) return undefined;
  const events: DeploymentEvent[] = [];
  let terminated: OperationHistory['terminated'];
  try {
    decodeHistory(run, history, (event) => events.push(event));
  } catch (error) {
    if (!(error instanceof DeploymentTerminatedError)) throw error;
    terminated = { at: millis(history.at(-1)?.eventTime), message: error.message };
  }
  const plan = events.find((event) => event.kind === 'plan')?.plan;
  const phases = [...new Set((plan?.services ?? []).map(({ phase }) => phase))];
  const ofPhases = await Promise.all(
    phases.map((phase) => historyOf(client, phaseWorkflowId(run.workflowId, run.runId, phase))),
  );
  return {
    requestedBy: inputOf(history)?.requestedBy ?? '',
    events,
    retries: [history, ...ofPhases].flatMap((one) => attemptsIn(one ?? [])),
    ...(terminated === undefined ? {} : { terminated }),
  };
}

async function historyOf(client: Client, workflowId: string, runId?: string): Promise<HistoryEvent[] | undefined> {
  try {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    return await readableEvents(client, events ?? []);
  } catch (error) {
    // One that was refused before its phases has none of them.
    if (isGrpcServiceError(error) && error.code === status.NOT_FOUND) return undefined;
    throw error;
  }
}

function inputOf(events: readonly HistoryEvent[]): OperationInput | undefined {
  const payload = events[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  return payload ? defaultPayloadConverter.fromPayload<OperationInput>(payload) : undefined;
}

/** The engine writes an attempt when it ends, with the failure of the one before it. */
function attemptsIn(events: readonly HistoryEvent[]): Attempt[] {
  const scheduled = new Map(events.map((event) => [String(event.eventId), event]));
  return events.flatMap((event) => {
    if (event.eventType !== EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED) return [];
    const { attempt, lastFailure, scheduledEventId } = event.activityTaskStartedEventAttributes ?? {};
    if ((attempt ?? 1) <= 1 || !lastFailure) return [];
    const of = scheduled.get(String(scheduledEventId));
    const summary = of?.userMetadata?.summary;
    return [
      {
        at: millis(event.eventTime),
        what: summary
          ? defaultPayloadConverter.fromPayload<string>(summary)
          : (of?.activityTaskScheduledEventAttributes?.activityType?.name ?? ''),
        attempt: attempt ?? 1,
        message: lastFailure.message ?? '',
      },
    ];
  });
}
