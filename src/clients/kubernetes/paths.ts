/**
 * Addresses in the API, one place for each kind we touch. Names come from validated catalogs, so they need no escaping.
 */
export const paths = {
  namespaces: '/api/v1/namespaces',
  nodes: '/api/v1/nodes',
  namespace: (name: string): string => `/api/v1/namespaces/${name}`,
  secrets: (namespace?: string): string => within('/api/v1', namespace, 'secrets'),
  secret: (namespace: string, name: string): string => `/api/v1/namespaces/${namespace}/secrets/${name}`,
  configMaps: (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`,
  configMap: (namespace: string, name: string): string => `/api/v1/namespaces/${namespace}/configmaps/${name}`,
  serviceAccount: (namespace: string, name: string): string =>
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`,
  certificateSigningRequests: '/apis/certificates.k8s.io/v1/certificatesigningrequests',
  certificateSigningRequest: (name: string): string =>
    `/apis/certificates.k8s.io/v1/certificatesigningrequests/${name}`,
  clusterRoleBinding: (name: string): string => `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${name}`,
  pods: (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`,
  events: (namespace: string): string => `/api/v1/namespaces/${namespace}/events`,
  resourceQuotas: (namespace: string): string => `/api/v1/namespaces/${namespace}/resourcequotas`,
  deployments: (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/deployments`,
  statefulSets: (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/statefulsets`,
  daemonSets: (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/daemonsets`,
  jobs: (namespace: string): string => `/apis/batch/v1/namespaces/${namespace}/jobs`,
  job: (namespace: string, name: string): string => `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`,
  horizontalPodAutoscalers: '/apis/autoscaling/v2/horizontalpodautoscalers',
  persistentVolumeClaims: (namespace: string): string => `/api/v1/namespaces/${namespace}/persistentvolumeclaims`,
  volumeSnapshots: (namespace: string): string =>
    `/apis/snapshot.storage.k8s.io/v1/namespaces/${namespace}/volumesnapshots`,
  volumeSnapshot: (namespace: string, name: string): string =>
    `/apis/snapshot.storage.k8s.io/v1/namespaces/${namespace}/volumesnapshots/${name}`,
  customResourceDefinitions: (): string => '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  customResourceDefinition: (name: string): string => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`,
} as const;

function within(group: string, namespace: string | undefined, kind: string): string {
  return namespace === undefined ? `${group}/${kind}` : `${group}/namespaces/${namespace}/${kind}`;
}
