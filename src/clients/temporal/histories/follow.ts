/**
 * Follows a deployment by long-polling its history: no query, no worker and no polling needed, and whoever attaches
 * later sees the same from the beginning. Survives outages of the engine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, isGrpcServiceError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { OperationResult } from '../../../contract/operations/deploy.ts';
import type { DeploymentEvent } from '../../../plan/progress.ts';
import type { DeploymentHandle } from '../deployments.ts';
import { readableEvents } from '../encryption/readable.ts';
import { createHistoryDecoder } from './history.ts';

export interface FollowOptions {
  /** Called for every event, in order. */
  onEvent: (event: DeploymentEvent) => void;
  /** Called when the engine stops answering and when it answers again. */
  onConnection?: (state: 'lost' | 'back', detail: string) => void;
  signal?: AbortSignal;
}

/**
 * @returns the result, also of a failed or cancelled deployment
 * @throws DeploymentTerminatedError; UnreadableHistoryError; AbortError when `signal` fires
 */
export async function followDeployment(
  client: Client,
  run: DeploymentHandle,
  options: FollowOptions,
): Promise<OperationResult> {
  const decode = createHistoryDecoder(run);
  let seen = 0;
  let lost = false;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      let nextPageToken: Uint8Array | undefined;
      do {
        const page = await historyPage(client, run, nextPageToken, options.signal);
        if (lost) options.onConnection?.('back', '');
        lost = false;
        nextPageToken = page.nextPageToken && page.nextPageToken.length > 0 ? page.nextPageToken : undefined;
        const news = (page.history?.events ?? []).filter(({ eventId }) => Number(eventId) > seen);
        for (const event of await readableEvents(client, news)) {
          seen = Number(event.eventId);
          for (const decoded of decode(event)) {
            options.onEvent(decoded);
            if (decoded.kind === 'finished') return decoded.result;
          }
        }
      } while (nextPageToken);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isGrpcServiceError(error) || !isPassing(error.code)) throw error;
      // A long poll that simply ran out of time is not an outage.
      if ((error.code as number) !== GRPC.deadlineExceeded && !lost) {
        lost = true;
        options.onConnection?.('lost', error.details);
      }
      await sleep(500);
    }
  }
}

const GRPC = {
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  aborted: 10,
  internal: 13,
  unavailable: 14,
} as const;
function isPassing(code: number): boolean {
  return [
    GRPC.cancelled,
    GRPC.unknown,
    GRPC.deadlineExceeded,
    GRPC.resourceExhausted,
    GRPC.aborted,
    GRPC.internal,
    GRPC.unavailable,
  ].includes(code as 1);
}

async function historyPage(
  client: Client,
  run: DeploymentHandle,
  nextPageToken: Uint8Array | undefined,
  signal: AbortSignal | undefined,
): Promise<temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse> {
  const call = (): Promise<temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse> =>
    client.connection.withDeadline(Date.now() + 65_000, () =>
      client.workflowService.getWorkflowExecutionHistory({
        namespace: client.options.namespace,
        execution: run,
        waitNewEvent: true,
        ...(nextPageToken ? { nextPageToken } : {}),
      }),
    );
  return signal ? client.connection.withAbortSignal(signal, call) : call();
}
