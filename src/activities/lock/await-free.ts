/** Waits until nobody holds the lock: the engine answers the moment the holder ends. */
import { DeployError } from '../../contract/errors.ts';
import { ServiceError, WorkflowFailedError } from '@temporalio/client';
import type { Clients } from '../../clients/index.ts';
import { describeDeployment } from '../../clients/temporal/deployments.ts';
import type { Activities } from '../../contract/activities.ts';
import { FAILURES } from '../../contract/failures.ts';
import { operationWorkflowId } from '../../contract/names.ts';
import { withHeartbeat, type ScopeOf } from '../scope.ts';
import { engineOf } from './engine.ts';

export function awaitLockFree(clients: Pick<Clients, 'engine'>, scopeOf: ScopeOf): Activities['awaitLockFree'] {
  return async ({ environment, clusterUid }) => {
    const { signal, ...scope } = scopeOf();
    const client = engineOf(clients);
    const workflowId = operationWorkflowId(environment, clusterUid);
    let holder = '';
    await withHeartbeat(
      { signal, ...scope },
      () => holder,
      async () => {
        for (;;) {
          signal.throwIfAborted();
          try {
            const found = await describeDeployment(client, { workflowId });
            if (found?.status !== 'RUNNING') return;
            holder = `run ${found.runId} holds the lock since ${found.startTime.toISOString()}`;
            // How the holder ends does not matter here.
            await client.connection
              .withAbortSignal(signal, () => client.workflow.getHandle(workflowId, found.runId).result())
              .catch((error: unknown) => {
                if (!(error instanceof WorkflowFailedError)) throw error;
              });
          } catch (error) {
            signal.throwIfAborted();
            if (error instanceof ServiceError)
              throw new DeployError(
                FAILURES.unreachable,
                `The engine did not answer who holds the lock: ${error.message}`,
              );
            throw error;
          }
        }
      },
    );
  };
}
