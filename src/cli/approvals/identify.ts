/**
 * Who starts an operation says so, under the name that the cluster knows them by: nobody approves what they ask for.
 */
import type { Client } from '@temporalio/client';
import type { DeploymentHandle } from '../../clients/temporal/index.ts';
import { makeAttestation } from '../../effects/admission/attestation.ts';
import type { IdentifyRequest } from '../../contract/admission/approvals.ts';
import { UPDATES } from '../../contract/messages.ts';
import type { Operation } from '../../contract/operations/plan.ts';
import type { Connections } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import { requestPurpose } from '../../plan/admission/attestation.ts';
import type { Session } from '../deploy/session.ts';
import { withClients } from '../shared/clients.ts';

/** The update is answered by a worker: it is not waited for longer than this. */
const ANSWER_MILLISECONDS = 30_000;

/** Whether a gate of the environment asks who has asked. */
export function asksWhoAsks({ approvals }: Pick<Environment, 'approvals'>, operation: Operation): boolean {
  return approvals.some(({ notSelf, operations }) => notSelf && operations.includes(operation));
}

/**
 * Only where a gate of the environment asks for it. Without it the operation goes on as far as the gate, where nobody's
 * approval counts: that is said, and keeps nobody from watching.
 *
 * @param run of the operation, or of the rings that it is part of
 */
export async function identifyRequester(
  {
    context,
    environment,
    renderer,
    interrupted,
  }: Pick<Session, 'context' | 'environment' | 'renderer' | 'interrupted'>,
  client: Client,
  connections: Connections,
  run: DeploymentHandle,
  operation: Operation,
  ofRings = false,
): Promise<void> {
  if (!asksWhoAsks(environment, operation)) return;
  try {
    const attestation = await withClients(context, environment, connections, ({ kubernetes }) =>
      makeAttestation(kubernetes, requestPurpose(run.runId), interrupted),
    );
    const request: IdentifyRequest = { attestation, ...(ofRings ? { environment: environment.name } : {}) };
    await client.withDeadline(Date.now() + ANSWER_MILLISECONDS, () =>
      client.workflow.getHandle(run.workflowId, run.runId).executeUpdate(UPDATES.identify, { args: [request] }),
    );
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    renderer.notice(
      `Who asks for this could not be proved (${why}): where it has to be approved by somebody else, no approval counts. Cancel it and start it again.`,
    );
  }
}
