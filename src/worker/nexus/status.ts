/** What runs, how the last operation ended, which version there is: within the ten seconds that an answer may take. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clients } from '../../clients/index.ts';
import { deploymentsOf } from '../../clients/temporal/deployments.ts';
import { lockHolderOf } from '../../clients/temporal/lock.ts';
import { isLockId, operationWorkflowId } from '../../contract/names.ts';
import type { StatusOutput } from '../../contract/nexus/service.d.ts';
import { readVersions } from '../../effects/versions/store.ts';
import type { Client } from '@temporalio/client';

const CLUSTER_MILLISECONDS = 4000;

export async function statusOf(
  clients: Pick<Clients, 'kubernetes' | 'redactor'>,
  engine: Client,
  environment: string,
  clusterUid: string,
): Promise<StatusOutput> {
  const [holder, operations, { version, problem }] = await Promise.all([
    lockHolderOf(engine, operationWorkflowId(environment, clusterUid)),
    deploymentsOf(engine, environment),
    newestVersion(clients, environment),
  ]);
  const last = operations.find(({ status, workflowId }) => status !== 'RUNNING' && isLockId(workflowId));
  return {
    environment,
    ...(holder
      ? {
          running: {
            operation: holder.operation,
            requestedBy: holder.requestedBy,
            since: holder.since,
            workflowId: holder.workflowId,
            runId: holder.runId,
            waits: [
              ...(holder.waits ? [holder.waits.reason] : []),
              ...(holder.held ?? []),
              ...(holder.stalled === undefined ? [] : [holder.stalled]),
            ],
          },
        }
      : {}),
    ...(last
      ? {
          last: {
            workflowId: last.workflowId,
            runId: last.runId,
            status: last.status,
            startedAt: last.startTime.toISOString(),
            ...(last.closeTime ? { endedAt: last.closeTime.toISOString() } : {}),
          },
        }
      : {}),
    ...(version ? { version } : {}),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** A cluster that is away costs the version, not the answer. */
async function newestVersion(
  { kubernetes, redactor }: Pick<Clients, 'kubernetes' | 'redactor'>,
  environment: string,
): Promise<Pick<StatusOutput, 'version' | 'problem'>> {
  const ended = new AbortController();
  const limit = sleep(CLUSTER_MILLISECONDS, undefined, { signal: ended.signal }).then(
    () => {
      ended.abort();
      throw new Error(`it did not answer within ${CLUSTER_MILLISECONDS / 1000} s`);
    },
    () => [],
  );
  try {
    const [newest] = await Promise.race([readVersions(kubernetes, environment, ended.signal), limit]);
    if (!newest) return {};
    const { version, at, operation, requestedBy, planDigest, promotedFrom } = newest;
    return {
      version: {
        version,
        at,
        operation,
        requestedBy,
        planDigest,
        ...(promotedFrom
          ? { promotedFrom: { environment: promotedFrom.environment, version: promotedFrom.version } }
          : {}),
      },
    };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { problem: `The cluster could not be asked for its versions: ${redactor.redact(text)}` };
  } finally {
    ended.abort();
  }
}
