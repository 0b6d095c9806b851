/**
 * Kinds as rules name them: group and plural. Kubernetes' own are fixed; others are read from the definitions that
 * charts bring along. Pure.
 */
import type { Tree } from '../../environment/files/merge.ts';
import type { ManifestObject } from '../diff/manifest.ts';
import { treeOf } from '../inputs/helm-marks.ts';

export interface ResourceKind {
  /** Empty for the core group. */
  group: string;
  /** Plural. */
  resource: string;
  namespaced: boolean;
}

/** `group/Kind`, whatever the version. */
export type KindKey = string;

const namespaced = (group: string, kinds: Record<string, string>): [KindKey, ResourceKind][] =>
  Object.entries(kinds).map(([kind, resource]) => [`${group}/${kind}`, { group, resource, namespaced: true }]);
const clusterWide = (group: string, kinds: Record<string, string>): [KindKey, ResourceKind][] =>
  Object.entries(kinds).map(([kind, resource]) => [`${group}/${kind}`, { group, resource, namespaced: false }]);

/** What Kubernetes 1.35 serves in its stable versions; endpoints, events and what nobody writes are left out. */
export const OWN_KINDS: ReadonlyMap<KindKey, ResourceKind> = new Map([
  ...namespaced('', {
    ConfigMap: 'configmaps',
    LimitRange: 'limitranges',
    PersistentVolumeClaim: 'persistentvolumeclaims',
    Pod: 'pods',
    PodTemplate: 'podtemplates',
    ReplicationController: 'replicationcontrollers',
    ResourceQuota: 'resourcequotas',
    Secret: 'secrets',
    Service: 'services',
    ServiceAccount: 'serviceaccounts',
  }),
  ...namespaced('apps', {
    ControllerRevision: 'controllerrevisions',
    DaemonSet: 'daemonsets',
    Deployment: 'deployments',
    ReplicaSet: 'replicasets',
    StatefulSet: 'statefulsets',
  }),
  ...namespaced('autoscaling', { HorizontalPodAutoscaler: 'horizontalpodautoscalers' }),
  ...namespaced('batch', { CronJob: 'cronjobs', Job: 'jobs' }),
  ...namespaced('coordination.k8s.io', { Lease: 'leases' }),
  ...namespaced('networking.k8s.io', { Ingress: 'ingresses', NetworkPolicy: 'networkpolicies' }),
  ...namespaced('policy', { PodDisruptionBudget: 'poddisruptionbudgets' }),
  ...namespaced('rbac.authorization.k8s.io', { Role: 'roles', RoleBinding: 'rolebindings' }),
  ...namespaced('resource.k8s.io', {
    ResourceClaim: 'resourceclaims',
    ResourceClaimTemplate: 'resourceclaimtemplates',
  }),
  ...namespaced('storage.k8s.io', { CSIStorageCapacity: 'csistoragecapacities' }),
  ...clusterWide('', { Namespace: 'namespaces', Node: 'nodes', PersistentVolume: 'persistentvolumes' }),
  ...clusterWide('admissionregistration.k8s.io', {
    MutatingWebhookConfiguration: 'mutatingwebhookconfigurations',
    ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
    ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
    ValidatingWebhookConfiguration: 'validatingwebhookconfigurations',
  }),
  ...clusterWide('apiextensions.k8s.io', { CustomResourceDefinition: 'customresourcedefinitions' }),
  ...clusterWide('apiregistration.k8s.io', { APIService: 'apiservices' }),
  ...clusterWide('networking.k8s.io', { IngressClass: 'ingressclasses' }),
  ...clusterWide('rbac.authorization.k8s.io', {
    ClusterRole: 'clusterroles',
    ClusterRoleBinding: 'clusterrolebindings',
  }),
  ...clusterWide('scheduling.k8s.io', { PriorityClass: 'priorityclasses' }),
  ...clusterWide('storage.k8s.io', { CSIDriver: 'csidrivers', StorageClass: 'storageclasses' }),
]);

export function kindKeyOf(apiVersion: string, kind: string): KindKey {
  return `${apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''}/${kind}`;
}

/** Kinds that come with the definitions among the objects. */
export function broughtKinds(objects: readonly ManifestObject[]): Map<KindKey, ResourceKind> {
  return new Map(
    objects
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .map(({ object }) => {
        const { group, names, scope } = treeOf(object['spec']);
        const { kind, plural }: Tree = treeOf(names);
        return [
          `${String(group)}/${String(kind)}`,
          { group: String(group), resource: String(plural), namespaced: scope === 'Namespaced' },
        ];
      }),
  );
}
