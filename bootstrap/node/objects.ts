/**
 * What the cluster holds for a real node: who may do what, DNS, storage, and the policies that send pods and volumes
 * there.
 */
import { INSTANCE_LABEL } from '../../src/contract/names.ts';
import type { ApiObject } from '../cluster/api.ts';
import { STORAGE_CLASS } from '../cluster/stages/volumes.ts';
import { PROVISIONER, REAL_LABEL, REAL_STORAGE_CLASS, REAL_TAINT, REAL_VALUE } from './labels.ts';
import { DNS_SERVICE_ADDRESS, type NodeNetwork } from './network.ts';

const MANAGED = { 'app.kubernetes.io/managed-by': 'ananta-deploy' };
const ADMISSION = 'admissionregistration.k8s.io/v1beta1';

/** @param releases whose pods and volumes belong on the real node */
export function nodeObjects(network: NodeNetwork, releases: readonly string[]): ApiObject[] {
  return [
    ...dnsAccess(),
    ...dnsService(network),
    storageClass(),
    ...steering('real-pods.ananta.dev', 'pods', `${labelled('object')} && ${isOneOf(releases)}`, [
      ...podPatches(),
      ...['containers', 'initContainers'].flatMap((field) => requestPatches(field)),
    ]),
    ...steering(
      'real-volumes.ananta.dev',
      'persistentvolumeclaims',
      `${labelled('object')} && ${isOneOf(releases)} && (!has(object.spec.storageClassName) || object.spec.storageClassName == "${STORAGE_CLASS}") && (!has(object.spec.volumeName) || object.spec.volumeName == "")`,
      [`[JSONPatch{op: "add", path: "/spec/storageClassName", value: "${REAL_STORAGE_CLASS}"}]`],
    ),
  ];
}

function labelled(object: string): string {
  return `has(${object}.metadata.labels) && "${INSTANCE_LABEL}" in ${object}.metadata.labels`;
}

function isOneOf(releases: readonly string[]): string {
  return `object.metadata.labels["${INSTANCE_LABEL}"] in ${JSON.stringify([...releases].sort())}`;
}

/** Send the pod to the real node, whatever else it asks for. */
function podPatches(): string[] {
  const key = `jsonpatch.escapeKey("${REAL_LABEL}")`;
  const toleration = `Object.spec.tolerations{key: "${REAL_TAINT.key}", operator: "Exists", effect: "${REAL_TAINT.effect}"}`;
  return [
    `has(object.spec.nodeSelector) ? [JSONPatch{op: "add", path: "/spec/nodeSelector/" + ${key}, value: "${REAL_VALUE}"}] : [JSONPatch{op: "add", path: "/spec/nodeSelector", value: {"${REAL_LABEL}": "${REAL_VALUE}"}}]`,
    `has(object.spec.tolerations) ? [JSONPatch{op: "add", path: "/spec/tolerations/-", value: ${toleration}}] : [JSONPatch{op: "add", path: "/spec/tolerations", value: [${toleration}]}]`,
  ];
}

/** No pod of the platform has more containers of one kind. */
const MOST_CONTAINERS = 6;

/** The platform asks for more than one machine has: what it asks for is made small, its limits stay. */
function requestPatches(field: string): string[] {
  return Array.from({ length: MOST_CONTAINERS }, (_, index) => {
    const container = `object.spec.${field}[${index}]`;
    const there = `${field === 'containers' ? '' : `has(object.spec.${field}) && `}size(object.spec.${field}) > ${index} && has(${container}.resources) && (has(${container}.resources.requests) || has(${container}.resources.limits))`;
    return `${there} ? [JSONPatch{op: "add", path: "/spec/${field}/${index}/resources/requests", value: {"cpu": "1m", "memory": "1Mi"}}] : []`;
  });
}

function steering(name: string, resource: string, condition: string, patches: readonly string[]): ApiObject[] {
  return [
    {
      apiVersion: ADMISSION,
      kind: 'MutatingAdmissionPolicy',
      metadata: { name, labels: MANAGED },
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: [resource] }],
        },
        matchConditions: [{ name: 'real', expression: condition }],
        mutations: patches.map((expression) => ({ patchType: 'JSONPatch', jsonPatch: { expression } })),
      },
    },
    {
      apiVersion: ADMISSION,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name, labels: MANAGED },
      spec: { policyName: name },
    },
  ];
}

function storageClass(): ApiObject {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: REAL_STORAGE_CLASS, labels: MANAGED },
    provisioner: PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
    allowVolumeExpansion: true,
  };
}

function dnsAccess(): ApiObject[] {
  const name = 'system:coredns';
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name, labels: MANAGED },
      rules: [
        { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name, labels: MANAGED },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
    },
  ];
}

/** CoreDNS is no pod: the Service leads to the node's own address. */
function dnsService({ node }: NodeNetwork): ApiObject[] {
  const metadata = { name: 'kube-dns', namespace: 'kube-system', labels: MANAGED };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {
        clusterIP: DNS_SERVICE_ADDRESS,
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
        ],
      },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        ...metadata,
        labels: { 'kubernetes.io/service-name': 'kube-dns', 'endpointslice.kubernetes.io/managed-by': 'ananta-deploy' },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: [node], conditions: { ready: true } }],
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
    },
  ];
}
