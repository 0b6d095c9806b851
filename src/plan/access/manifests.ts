/**
 * Identities as Kubernetes objects: a service account, a Role where it works, a ClusterRole for what has no namespace.
 * Pure.
 */
import { IN_CLUSTER, MANAGED_BY, MANAGED_BY_LABEL } from '../../contract/names.ts';
import { accessName, type Identity } from './identities.ts';
import { type PolicyRule, rulesOf } from './rules.ts';

export interface AccessObject {
  /** In the API. */
  path: string;
  object: {
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace?: string; labels: Record<string, string> };
  } & Record<string, unknown>;
}

const GROUP = 'rbac.authorization.k8s.io';
const labels = { [MANAGED_BY_LABEL]: MANAGED_BY };

/** In the order in which they have to be made. */
export function accessObjects(identity: Identity): AccessObject[] {
  const name = accessName(identity.name);
  const subjects = [
    { kind: 'ServiceAccount', name, namespace: IN_CLUSTER.namespace },
    ...(identity.name === 'deployer'
      ? [{ kind: 'ServiceAccount', name: IN_CLUSTER.worker, namespace: IN_CLUSTER.namespace }]
      : []),
    // People and pipelines, as the cluster's sign-in names their group.
    { kind: 'Group', apiGroup: GROUP, name },
  ];
  const pair = (kind: 'Role' | 'ClusterRole', rules: PolicyRule[], namespace?: string): AccessObject[] => {
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels };
    const root = `/apis/${GROUP}/v1${namespace === undefined ? '' : `/namespaces/${namespace}`}/${kind.toLowerCase()}`;
    return [
      { path: `${root}s/${name}`, object: { apiVersion: `${GROUP}/v1`, kind, metadata, rules } },
      {
        path: `${root}bindings/${name}`,
        object: {
          apiVersion: `${GROUP}/v1`,
          kind: `${kind}Binding`,
          metadata,
          roleRef: { apiGroup: GROUP, kind, name },
          subjects,
        },
      },
    ];
  };
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: IN_CLUSTER.namespace, labels },
    automountServiceAccountToken: false,
  };
  return [
    { path: `/api/v1/namespaces/${IN_CLUSTER.namespace}/serviceaccounts/${name}`, object: account },
    ...pair('ClusterRole', rulesOf(identity.cluster)),
    ...[...identity.namespaced]
      .sort(([a], [b]) => a.localeCompare(b, 'en'))
      .flatMap(([namespace, rights]) => pair('Role', rulesOf(rights), namespace)),
  ];
}
