/** Before data are put back: no operation may be at work on them. */
import type { Clients } from '../../clients/index.ts';
import { closeTemporal, EngineAccessError, openNamespace } from '../../clients/temporal/index.ts';
import { lockHolderOf } from '../../clients/temporal/lock.ts';
import { operationWorkflowId } from '../../contract/names.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';

/** An engine that is away has nobody at work: its workers wait for it. */
export async function requireNobodyAtWork(
  { connections }: Pick<Clients, 'connections'>,
  name: string,
  clusterUid: string,
): Promise<void> {
  let client;
  try {
    client = await openNamespace(connections.engine);
  } catch (error) {
    if (error instanceof EngineAccessError) return;
    throw error;
  }
  try {
    const holder = await lockHolderOf(client, operationWorkflowId(name, clusterUid));
    if (holder)
      throw refused(
        `An operation (${holder.operation}) that ${holder.requestedBy} started at ${holder.since} holds the lock of "${name}". Nothing was touched.`,
        `${commandLine('attach', '--env', name)}   (restore again when it has ended)`,
      );
  } finally {
    await closeTemporal(client).catch(() => undefined);
  }
}
