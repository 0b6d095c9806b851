/**
 * What the workers may do in the cluster: bound by name where the environment says a role, and looked at in any case.
 */
import { z } from 'zod';
import type { Catalog } from '../../catalog/schema.ts';
import type { KubernetesClient } from '../../clients/kubernetes/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import { IN_CLUSTER, MANAGED_BY, MANAGED_BY_LABEL } from '../../contract/names.ts';
import type { Environment } from '../../environment/schema.ts';

const BINDING = 'ananta-deployer-worker';
const bindingSchema = z.looseObject({ roleRef: z.object({ name: z.string() }) });

/** A role that the environment names, in the whole cluster. @returns whether something was changed */
export async function bindRole(
  kubernetes: Pick<KubernetesClient, 'get' | 'create' | 'remove'>,
  { deployer: { clusterRole } }: Pick<Environment, 'deployer'>,
  signal?: AbortSignal,
): Promise<boolean> {
  if (clusterRole === undefined) return false;
  const path = paths.clusterRoleBinding(BINDING);
  const found = await kubernetes.get(path, signal);
  if (found && bindingSchema.parse(found).roleRef.name === clusterRole) return false;
  // The role of a binding cannot be changed.
  if (found) await kubernetes.remove(path, { uid: found.metadata.uid }, signal);
  await kubernetes.create(
    path.slice(0, path.lastIndexOf('/')),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: BINDING, labels: { [MANAGED_BY_LABEL]: MANAGED_BY } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
      subjects: [{ kind: 'ServiceAccount', name: IN_CLUSTER.worker, namespace: IN_CLUSTER.namespace }],
    },
    signal,
  );
  return true;
}

/**
 * Asks for what Helm does first in each namespace of the platform: it reads and writes its records.
 * @returns where the workers could deploy nothing, and what to do; undefined where they may
 */
export async function workerRightsProblem(
  kubernetes: Pick<KubernetesClient, 'mayAccount'>,
  catalog: Pick<Catalog, 'services'>,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const account = { namespace: IN_CLUSTER.namespace, name: IN_CLUSTER.worker };
  const namespaces = [...new Set(catalog.services.map(({ namespace }) => namespace))];
  const answers = await Promise.all(
    namespaces.flatMap((namespace) =>
      ['list', 'create'].map(async (verb) => ({
        namespace,
        allowed: await kubernetes.mayAccount(account, { verb, group: '', resource: 'secrets', namespace }, signal),
      })),
    ),
  );
  const denied = namespaces.filter((name) => answers.some(({ namespace, allowed }) => namespace === name && !allowed));
  return denied.length === 0
    ? undefined
    : `the service account ${account.namespace}/${account.name} may not deploy yet to ${denied.join(', ')}: give it the role of a deployer: npm run ananta -- rbac apply --identity deployer`;
}
