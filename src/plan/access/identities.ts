/**
 * Who needs what in the cluster: derived from the catalog's namespaces and from what the charts render, beside a fixed
 * table of what our own activities do. Nothing is a wildcard, and nothing has to be kept by hand when a service is
 * added. Pure.
 */
import {
  DEPLOYER_SERVICE_ACCOUNT,
  IN_CLUSTER,
  RECORDS_NAMESPACE,
  VAULT_REVIEWER_SERVICE_ACCOUNT,
} from '../../contract/names.ts';
import { OWNER_RECORD } from '../../contract/owner.ts';
import type { ManifestObject } from '../diff/manifest.ts';
import { treeOf } from '../inputs/helm-marks.ts';
import { broughtKinds, kindKeyOf, OWN_KINDS, type ResourceKind } from './kinds.ts';
import { type Right, rights } from './rules.ts';

export const IDENTITIES = ['installer', 'deployer', 'drift', 'viewer', 'approver'] as const;
export type IdentityName = (typeof IDENTITIES)[number];

/**
 * Names of the roles of an identity, and of its service account in the deployer's namespace. That of the installer is
 * older than the identity's name: clusters have it, and kubeconfigs were made for it.
 */
export function accessName(identity: IdentityName): string {
  return identity === 'installer' ? 'ananta-bootstrap' : `ananta-${identity}`;
}

/**
 * Whether an object in a namespace of the platform is one of these roles or bindings: no release has it, and it goes
 * with its namespace.
 */
export function isAccessObject(kind: string, name: string): boolean {
  return (kind === 'Role' || kind === 'RoleBinding') && IDENTITIES.some((identity) => accessName(identity) === name);
}

/** What one release makes. */
export interface RenderedRelease {
  name: string;
  namespace: string;
  objects: readonly ManifestObject[];
}

export interface AccessBasis {
  /** Of the platform. */
  namespaces: readonly string[];
  releases: readonly RenderedRelease[];
  /** Namespaces in which checks make Jobs. */
  checkJobs?: readonly string[];
  /** Secret with Vault's unseal keys, where the environment keeps them in the cluster. */
  keys?: { namespace: string; name: string };
  /** Secrets that hold what notifications need. */
  notify?: readonly { namespace: string; name: string }[];
  /** Namespaces in which checkpoints are snapshots of volumes. */
  snapshots?: readonly string[];
  /** Operations wait for approvals of people, or for the end of a freeze that somebody may override. */
  gates?: boolean;
}

export interface Identity {
  name: IdentityName;
  /** Objects without a namespace, and what cannot be limited to a namespace. */
  cluster: Right[];
  /** By namespace. */
  namespaced: Map<string, Right[]>;
}

const RBAC = 'rbac.authorization.k8s.io';
const CERTIFICATES = 'certificates.k8s.io';
const LOOK = ['get', 'list', 'watch'];
const READ = ['get', 'list'];
/** Helm 4 applies on the server's side: making an object is a `patch` and a `create` of its name. */
const APPLY = ['get', 'list', 'watch', 'create', 'patch'];
const BY_NAME = ['get', 'create', 'patch'];

/** @throws Error for a kind that neither Kubernetes nor any of the charts has */
export function identityOf(name: IdentityName, basis: AccessBasis): Identity {
  const identity: Identity = { name, cluster: [], namespaced: new Map() };
  const of = (namespace: string, ...lists: Right[][]): void => {
    identity.namespaced.set(namespace, [...(identity.namespaced.get(namespace) ?? []), ...lists.flat()]);
  };
  if (name === 'installer') ofInstaller(identity, basis, of);
  else if (name === 'viewer') ofViewer(identity, basis, of);
  else if (name === 'approver') ofApprover(identity, basis, of);
  else ofDeployer(identity, basis, of, name === 'deployer');
  return identity;
}

type Add = (namespace: string, ...lists: Right[][]) => void;

/**
 * @param removes also takes releases, volumes and namespaces away, as `destroy` does; a repair of drift takes nothing
 * away
 */
function ofDeployer({ cluster }: Identity, basis: AccessBasis, of: Add, removes: boolean): void {
  const end = removes ? ['delete'] : [];
  for (const namespace of basis.namespaces) of(namespace, ...everywhere(end));
  const brought = broughtKinds(basis.releases.flatMap(({ objects }) => objects));
  for (const release of basis.releases) {
    for (const object of release.objects) {
      const kind = kindOf(object, brought, release.name);
      const { name } = object;
      if (kind.namespaced) {
        const place = object.namespace ?? release.namespace;
        of(place, rights([...APPLY, ...end], kind.group, [kind.resource]), roleRights(object, kind));
      } else {
        cluster.push(
          ...rights(['list', 'watch'], kind.group, [kind.resource]),
          ...rights([...BY_NAME, ...end], kind.group, [kind.resource], [name]),
          ...roleRights(object, kind),
        );
      }
    }
  }
  if (removes)
    for (const namespace of basis.snapshots ?? [])
      of(namespace, rights(['get', 'create', 'delete'], 'snapshot.storage.k8s.io', ['volumesnapshots']));
  if (removes) for (const namespace of basis.checkJobs ?? []) of(namespace, rights(['create'], 'batch', ['jobs']));
  // What these kinds hold is looked at by drift, and before a definition is removed.
  for (const { group, resource, namespaced } of brought.values()) {
    cluster.push(...rights(READ, group, [resource]));
    if (namespaced)
      for (const namespace of basis.namespaces) of(namespace, rights([...READ, ...end], group, [resource]));
  }
  ofVault({ cluster }, of, end);
  if (removes)
    cluster.push(
      ...rights(['patch', 'delete'], '', ['namespaces'], basis.namespaces),
      ...rights(['delete'], '', ['namespaces'], [RECORDS_NAMESPACE]),
      ...rights(['get'], '', ['persistentvolumes']),
    );
  cluster.push(
    ...rights(READ, '', ['namespaces']),
    ...rights(READ, '', ['nodes']),
    ...rights(READ, 'apiextensions.k8s.io', ['customresourcedefinitions']),
    ...rights(['create'], 'authorization.k8s.io', ['selfsubjectaccessreviews', 'selfsubjectrulesreviews']),
    // Who asks for an operation, or overrides a freeze, says so, and who has approved it is looked up
    // (src/plan/admission/attestation.ts).
    ...(basis.gates ? rights(['get', 'create'], CERTIFICATES, ['certificatesigningrequests']) : []),
  );
  of(RECORDS_NAMESPACE, rights(['get', 'list', 'create', 'update', 'patch', ...end], '', ['configmaps']));
  // Commands reach an engine in the cluster through its pods; whoever may do that may start deployments.
  of(IN_CLUSTER.namespace, rights(READ, '', ['pods']), rights(['get', 'create'], '', ['pods/portforward']));
  for (const { namespace, name } of basis.notify ?? []) of(namespace, rights(['get'], '', ['secrets'], [name]));
  if (basis.keys !== undefined)
    of(
      basis.keys.namespace,
      rights(['create'], '', ['secrets']),
      rights(['get', 'update', 'patch'], '', ['secrets'], [basis.keys.name]),
    );
}

/**
 * In each of the platform's namespaces: Helm's records, Secrets made from Vault, health, evidence, and what surveys
 * list.
 */
function everywhere(end: string[]): Right[][] {
  const own = [...OWN_KINDS.values()].filter(({ namespaced }) => namespaced);
  return [
    ...own.map(({ group, resource }) => rights(READ, group, [resource])),
    // Helm's own records: made, marked, superseded and cut, whoever deploys or repairs.
    rights(['get', 'list', 'create', 'update', 'patch', 'delete'], '', ['secrets']),
    rights(LOOK, '', ['pods', 'persistentvolumeclaims']),
    rights(LOOK, 'apps', ['deployments', 'statefulsets', 'daemonsets']),
    rights(LOOK, 'batch', ['jobs']),
    // A Job that has failed for good is removed and runs again.
    rights(['delete'], 'batch', ['jobs']),
    rights(['get'], '', ['pods/log']),
    rights(READ, '', ['events']),
    rights(['get', 'create'], '', ['pods/exec', 'pods/portforward']),
    // A larger size is asked for in claims that a StatefulSet's controller has made.
    rights(end.length === 0 ? [] : ['patch'], '', ['persistentvolumeclaims']),
    rights(end, '', ['persistentvolumeclaims', 'configmaps', 'serviceaccounts', 'services']),
  ];
}

/** Whoever logs in to Vault, who reviews the logins, and pods that are replaced one by one. */
function ofVault({ cluster }: Pick<Identity, 'cluster'>, of: Add, end: string[]): void {
  const { namespace, name } = DEPLOYER_SERVICE_ACCOUNT;
  of(
    namespace,
    rights(['create'], '', ['serviceaccounts/token'], [name]),
    rights(['get', 'create', 'patch'], '', ['serviceaccounts'], [name, VAULT_REVIEWER_SERVICE_ACCOUNT.name]),
    rights(end, '', ['pods']),
  );
  cluster.push(
    ...rights([...BY_NAME, ...end], RBAC, ['clusterrolebindings'], [VAULT_REVIEWER_SERVICE_ACCOUNT.name]),
    ...rights(['bind'], RBAC, ['clusterroles'], ['system:auth-delegator']),
  );
}

/** Rules that a chart brings need not be held by whoever installs it: they are allowed by the name of the role. */
function roleRights({ name, object, kind: what }: ManifestObject, { group }: ResourceKind): Right[] {
  if (group !== RBAC) return [];
  if (what === 'Role' || what === 'ClusterRole')
    return rights(['escalate'], RBAC, [what === 'Role' ? 'roles' : 'clusterroles'], [name]);
  const { kind, name: role } = treeOf(object['roleRef']);
  return rights(['bind'], RBAC, [kind === 'ClusterRole' ? 'clusterroles' : 'roles'], [String(role)]);
}

/** Reads no Secret, so it sees neither what Helm recorded nor what Vault made: status, history and what runs. */
function ofViewer({ cluster }: Identity, { namespaces }: AccessBasis, of: Add): void {
  cluster.push(
    ...rights(READ, '', ['namespaces']),
    ...rights(['create'], 'authorization.k8s.io', ['selfsubjectaccessreviews', 'selfsubjectrulesreviews']),
  );
  for (const namespace of namespaces) {
    of(
      namespace,
      rights(LOOK, '', ['pods', 'persistentvolumeclaims', 'services']),
      rights(LOOK, 'apps', ['deployments', 'statefulsets', 'daemonsets', 'replicasets']),
      rights(LOOK, 'batch', ['jobs']),
      rights(READ, '', ['events', 'resourcequotas']),
      rights(['get'], '', ['pods/log']),
    );
  }
  of(RECORDS_NAMESPACE, rights(READ, '', ['configmaps']));
}

/** Sees what a viewer sees, and says yes or no with a name that the API server vouches for. */
function ofApprover(identity: Identity, basis: AccessBasis, of: Add): void {
  ofViewer(identity, basis, of);
  identity.cluster.push(...rights(['create'], CERTIFICATES, ['certificatesigningrequests']));
}

/** Hands out what the others may do, by the names of their roles: whoever has it can give himself anything. */
function ofInstaller({ cluster }: Identity, { namespaces }: AccessBasis, of: Add): void {
  const all = [...new Set([...namespaces, RECORDS_NAMESPACE, IN_CLUSTER.namespace])];
  const names = IDENTITIES.map(accessName);
  cluster.push(
    ...rights(['get', 'list'], '', ['namespaces']),
    ...rights(['create', 'patch'], '', ['namespaces'], all),
    ...rights([...BY_NAME, 'escalate', 'bind'], RBAC, ['roles', 'clusterroles'], names),
    ...rights(BY_NAME, RBAC, ['rolebindings', 'clusterrolebindings'], names),
    ...rights(BY_NAME, '', ['serviceaccounts'], names),
    ...rights(['create'], 'authorization.k8s.io', [
      'selfsubjectaccessreviews',
      'selfsubjectrulesreviews',
      'subjectaccessreviews',
    ]),
  );
  // Whose cluster it is.
  of(
    RECORDS_NAMESPACE,
    rights(['create'], '', ['configmaps']),
    rights(['get', 'update'], '', ['configmaps'], [OWNER_RECORD.name]),
  );
  of(
    IN_CLUSTER.namespace,
    rights(['get', 'list', 'create', 'update', 'patch', 'delete'], '', ['secrets']),
    rights([...APPLY, 'delete'], '', ['configmaps']),
    rights(APPLY, '', ['serviceaccounts', 'services']),
    rights(APPLY, 'apps', ['statefulsets', 'deployments', 'daemonsets']),
    rights([...APPLY, 'delete'], 'batch', ['jobs']),
    rights(APPLY, 'policy', ['poddisruptionbudgets']),
    rights(APPLY, 'networking.k8s.io', ['networkpolicies']),
    rights(LOOK, '', ['pods', 'persistentvolumeclaims']),
    rights(READ, '', ['events']),
    rights(['get'], '', ['pods/log']),
    rights(['get', 'create'], '', ['pods/portforward']),
  );
}

function kindOf(
  { apiVersion, kind, name }: ManifestObject,
  brought: ReadonlyMap<string, ResourceKind>,
  release: string,
): ResourceKind {
  const key = kindKeyOf(apiVersion, kind);
  const found = OWN_KINDS.get(key) ?? brought.get(key);
  if (found === undefined)
    throw new Error(
      `${release} renders ${kind} ${name} (${apiVersion}), a kind that neither Kubernetes nor any of the charts defines: no rule can be made for it`,
    );
  return found;
}
