/** Waits for the end of an operation that somebody else has started: the engine answers the moment it ends. */
import { ServiceError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Clients } from '../../clients/index.ts';
import type { Activities } from '../../contract/activities.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { AwaitedOperation } from '../../contract/nexus/messages.ts';
import type { OperationResult } from '../../contract/operations/deploy.ts';
import { withHeartbeat, type ScopeOf } from '../scope.ts';
import { engineOf } from './engine.ts';

export function awaitOperation(clients: Pick<Clients, 'engine'>, scopeOf: ScopeOf): Activities['awaitOperation'] {
  return async ({ workflowId, runId }) => {
    const { signal, ...scope } = scopeOf();
    const client = engineOf(clients);
    return withHeartbeat(
      { signal, ...scope },
      () => `waits for the end of run ${runId}`,
      async () => {
        try {
          const handle = client.workflow.getHandle(workflowId, runId);
          const result = await client.connection.withAbortSignal(
            signal,
            () => handle.result() as Promise<OperationResult>,
          );
          return { result };
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof WorkflowFailedError) return endOf(error);
          if (error instanceof ServiceError || error instanceof WorkflowNotFoundError)
            throw new DeployError(
              FAILURES.unreachable,
              `The engine did not answer how run ${runId} has ended: ${error.message}`,
            );
          throw error;
        }
      },
    );
  };
}

/** Of one that was cancelled the engine keeps no details. */
function endOf({ cause, message }: WorkflowFailedError): AwaitedOperation {
  const details = cause instanceof ApplicationFailure || cause instanceof CancelledFailure ? cause.details : undefined;
  const result = details?.[0] as OperationResult | undefined;
  return { ...(result?.services ? { result } : {}), problem: cause?.message ?? message };
}
