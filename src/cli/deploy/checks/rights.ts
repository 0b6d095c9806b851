/** Whether whoever will apply may do in the cluster what a deployment does. */
import type { Connections } from '../../../environment/connections.ts';
import { requireDeployerRights, requireWorkerRights } from '../../rbac/preflight.ts';
import { accessBasis } from '../../rbac/rendered.ts';
import { withClients } from '../../shared/clients.ts';
import { helmBinary } from '../../shared/components/helm-binary.ts';
import type { Prepared } from '../preflight.ts';
import type { Session } from '../session.ts';

/** @throws CliError (refused) naming the rights that are missing */
export async function requireRights(
  { context, environment, interrupted: signal }: Session,
  prepared: Prepared,
  connections: Connections,
): Promise<void> {
  const { name, engine, deployer } = environment;
  const namespaces = prepared.catalog.namespaces.map((namespace) => namespace.name);
  await withClients(context, environment, connections, ({ kubernetes }) =>
    'inCluster' in engine || deployer.image !== undefined
      ? requireWorkerRights(kubernetes, name, namespaces, signal)
      : requireDeployerRights(
          kubernetes,
          name,
          namespaces,
          async () =>
            accessBasis(prepared, await helmBinary(connections, context.config, () => undefined), context.config),
          signal,
        ),
  );
}
