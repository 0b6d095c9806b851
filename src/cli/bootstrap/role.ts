/**
 * What the workers may do in the cluster: bound by name where the environment says a role, and looked at in any case.
 */
import { z } from 'zod';
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

/** @returns why the workers could deploy nothing; undefined where they may do the first thing that a deployment does */
export async function workerRightsProblem(
  kubernetes: Pick<KubernetesClient, 'mayAccount'>,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const account = { namespace: IN_CLUSTER.namespace, name: IN_CLUSTER.worker };
  const questions = [
    { verb: 'list', group: '', resource: 'secrets', namespace: 'control-plane' },
    { verb: 'create', group: 'apps', resource: 'deployments', namespace: 'control-plane' },
  ];
  const answers = await Promise.all(questions.map((question) => kubernetes.mayAccount(account, question, signal)));
  return answers.every(Boolean)
    ? undefined
    : `the service account ${account.namespace}/${account.name} may not deploy yet: give it the role of a deployer: npm run ananta -- rbac apply --identity deployer`;
}
