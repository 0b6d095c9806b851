/** Part of the platform is deployed: what it depends on has to be there. */
import { lockHolderOf } from '../../../clients/temporal/lock.ts';
import type { DeployInput, Selection } from '../../../contract/operations/deploy.ts';
import { operationWorkflowId } from '../../../contract/names.ts';
import { withClients } from '../../shared/clients.ts';
import type { Prepared } from '../preflight.ts';
import type { Prerequisites } from '../prerequisites.ts';
import type { Session } from '../session.ts';

/**
 * Checked before anything is started. While somebody holds the lock the answer may change; the deployment itself checks
 * it again.
 * @throws DependencyMissingError
 */
export async function requireDependencies(
  { context, environment, interrupted }: Session,
  { inputs }: Prepared,
  { client, connections }: Prerequisites,
  input: DeployInput,
  selection: Selection,
): Promise<void> {
  if (await lockHolderOf(client, operationWorkflowId(input.environment, input.clusterUid))) return;
  const { planFor } = await import('../../../effects/plan/deploy.ts');
  await withClients(context, environment, connections, (clients) =>
    planFor(clients, environment, input.imageTags, interrupted, { selection, inputs }),
  );
}
