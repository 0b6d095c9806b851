/** For operations that never attach to another one by accident. */
import { lockHolderOf } from '../../../clients/temporal/lock.ts';
import { operationWorkflowId } from '../../../contract/names.ts';
import { refused } from '../../shared/failure.ts';
import { commandLine } from '../../shared/format.ts';
import { reviveLine } from '../../shared/lock-words.ts';
import { OPERATION_WORDS } from '../../render/operation-words.ts';
import type { Prerequisites } from '../prerequisites.ts';
import type { Session } from '../session.ts';

/**
 * @param command what was asked for, for the advice
 * @throws CliError (refused) naming who holds the lock, and since when
 */
export async function requireFreeLock(
  { environment }: Session,
  { client, clusterUid }: Prerequisites,
  command: string,
): Promise<void> {
  const holder = await lockHolderOf(client, operationWorkflowId(environment.name, clusterUid));
  if (!holder) return;
  throw refused(
    `${OPERATION_WORDS[holder.operation].the} of "${environment.name}" that ${holder.requestedBy} started at ${holder.since} holds the lock (workflow ${holder.workflowId}, run ${holder.runId}).${holder.stalled === undefined ? '' : ` It does not move: ${holder.stalled}.`}`,
    ...(holder.stalled === undefined ? [] : [reviveLine(environment)]),
    `${commandLine('attach', '--env', environment.name)}   (watches it; run ${command} again when it has ended)`,
  );
}
