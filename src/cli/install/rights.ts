/** The rights that `install` needs, asked of the API server before anything is touched. */
import type { AccessQuestion, KubernetesClient } from '../../clients/kubernetes/index.ts';
import { describeQuestion } from '../../effects/rights.ts';
import { IN_CLUSTER, RECORDS_NAMESPACE } from '../../contract/names.ts';
import { OWNER_RECORD } from '../../contract/owner.ts';
import type { Environment } from '../../environment/schema.ts';
import { accessName, IDENTITIES } from '../../plan/access/identities.ts';
import { refused } from '../shared/failure.ts';

const { namespace } = IN_CLUSTER;
const make = (group: string, resource: string): AccessQuestion[] =>
  ['create', 'patch'].map((verb) => ({ verb, group, resource, namespace }));

/** Also what Helm needs for itself: its records are Secrets. */
export const NEEDED: readonly AccessQuestion[] = [
  // Whose cluster it is.
  { verb: 'get', group: '', resource: 'configmaps', name: OWNER_RECORD.name, namespace: RECORDS_NAMESPACE },
  { verb: 'create', group: '', resource: 'configmaps', namespace: RECORDS_NAMESPACE },
  { verb: 'get', group: '', resource: 'namespaces' },
  { verb: 'patch', group: '', resource: 'namespaces' },
  ...['get', 'list', 'delete'].map((verb) => ({ verb, group: '', resource: 'secrets', namespace })),
  ...make('', 'secrets'),
  ...make('', 'configmaps'),
  { verb: 'list', group: '', resource: 'configmaps', namespace },
  { verb: 'delete', group: '', resource: 'configmaps', namespace },
  ...make('', 'serviceaccounts'),
  ...make('', 'services'),
  ...make('apps', 'statefulsets'),
  ...make('apps', 'deployments'),
  ...make('batch', 'jobs'),
  ...make('policy', 'poddisruptionbudgets'),
  ...make('networking.k8s.io', 'networkpolicies'),
  { verb: 'create', group: '', resource: 'pods', subresource: 'portforward', namespace },
  // Workloads are watched as a whole, by one watch for each kind.
  { verb: 'list', group: '', resource: 'pods' },
  { verb: 'watch', group: '', resource: 'pods' },
  { verb: 'watch', group: 'apps', resource: 'deployments' },
  { verb: 'watch', group: 'apps', resource: 'statefulsets' },
  { verb: 'watch', group: 'batch', resource: 'jobs' },
];

const RBAC = 'rbac.authorization.k8s.io';
/** Making the roles of the identities. */
const HANDING_OUT: AccessQuestion[] = IDENTITIES.map(accessName).flatMap((name) => [
  ...['roles', 'clusterroles'].flatMap((resource) =>
    ['get', 'create', 'patch', 'escalate', 'bind'].map((verb) => ({ verb, group: RBAC, resource, name })),
  ),
  ...['rolebindings', 'clusterrolebindings'].flatMap((resource) =>
    ['get', 'create', 'patch'].map((verb) => ({ verb, group: RBAC, resource, name })),
  ),
]);

/** @throws CliError (refused) that lists everything that is not allowed */
export async function requireRights(
  kubernetes: Pick<KubernetesClient, 'mayI' | 'server'>,
  { deployer: { clusterRole } }: Pick<Environment, 'deployer'>,
  signal?: AbortSignal,
): Promise<void> {
  const needed = [
    ...NEEDED,
    ...(clusterRole === undefined
      ? HANDING_OUT
      : ['get', 'create', 'delete'].map((verb) => ({ verb, group: RBAC, resource: 'clusterrolebindings' }))),
  ];
  const answers = await Promise.all(
    needed.map(async (question) => ({ question, allowed: await kubernetes.mayI(question, signal) })),
  );
  const denied = answers.filter(({ allowed }) => !allowed).map(({ question }) => `  ${describeQuestion(question)}`);
  if (denied.length === 0) return;
  throw refused(
    `The identity that you use on ${kubernetes.server} may not do what an installation has to do:\n${denied.join('\n')}`,
    'Use a kubeconfig of somebody who administers this cluster: the deployer is installed once, deployments need less.',
  );
}
