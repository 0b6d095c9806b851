/** What every operation needs before it can start: a cluster that is the right one, an engine, a worker. */
import type { Client } from '@temporalio/client';
import type { OperationInput } from '../../contract/operations/deploy.ts';
import type { Operation } from '../../contract/operations/plan.ts';
import type { Connections } from '../../environment/connections.ts';
import { inSpan } from '../../process/spans.ts';
import { closeTemporal } from '../../clients/temporal/index.ts';
import { withOverrideProof } from '../freeze/attest.ts';
import { freezeNotice } from '../freeze/notice.ts';
import { requireBound, requireOwned } from './binding.ts';
import { type FoundCluster, readCluster } from './cluster.ts';
import { openEngine, requireSearchAttributes, requireWorker } from './engine.ts';
import type { Session } from './session.ts';

/** Everything an operation is started with, checked. */
export interface Prerequisites {
  connections: Connections;
  clusterUid: string;
  cluster: FoundCluster;
  client: Client;
}

/**
 * @throws CliError (refused) when cluster, engine or worker are not there, or the cluster is another one than before
 */
export function prerequisites(session: Session, connections: Connections): Promise<Prerequisites> {
  return inSpan('find cluster, engine and worker', {}, () => found(session, connections));
}

async function found({ environment, renderer }: Session, connections: Connections): Promise<Prerequisites> {
  const cluster = await readCluster(environment, connections);
  // A cluster of somebody else is refused also where the engine does not answer.
  if (cluster.record) requireOwned(environment, cluster, true);
  const client = await openEngine(environment, connections);
  await requireBound(client, environment, cluster);
  await requireSearchAttributes(client, environment, connections, (text) => {
    renderer.notice(text);
  });
  await requireWorker(client, environment);
  return { connections, clusterUid: cluster.uid, cluster, client };
}

/**
 * The last check before an operation starts: nobody has interrupted the command. Prints what a freeze window does to
 * the operation.
 * @returns the input, with the proof of who overrides a freeze
 * @throws the reason of an interruption; CliError (refused) where nobody can prove it
 */
export async function beforeStart<Input extends OperationInput>(
  session: Session,
  { client, connections }: Pick<Prerequisites, 'client' | 'connections'>,
  operation: Operation,
  input: Input,
): Promise<Input> {
  const { environment, renderer, interrupted } = session;
  interrupted.throwIfAborted();
  const frozen = freezeNotice(environment, operation, input.freezeOverride, Date.now());
  if (frozen !== undefined) renderer.notice(frozen);
  try {
    return await withOverrideProof(session, connections, operation, input);
  } catch (error) {
    await closeTemporal(client).catch(() => undefined);
    throw error;
  }
}
