/** The configuration from which kwokctl makes the control plane. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../layout.ts';
import { API_SERVICE_ADDRESS, type NodeNetwork, SERVICE_RANGE } from '../node/network.ts';
import { LOOPBACK, type Ports } from '../process/ports.ts';
import type { InstalledTool, ToolName } from '../tools/index.ts';

export const CLUSTER_PORTS = [
  'etcd',
  'etcd-peer',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok-controller',
] as const;
export const CLUSTER_TOOLS = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwokctl',
  'kwok',
  'kubectl',
] as const satisfies readonly ToolName[];
export type ClusterTools = Record<(typeof CLUSTER_TOOLS)[number], InstalledTool>;

/** The processes of the control plane, in the order in which they need each other. */
export const CLUSTER_COMPONENTS = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok-controller',
] as const;
export type ClusterComponentName = (typeof CLUSTER_COMPONENTS)[number];

/** kwokctl's folder of the one cluster that an environment has. */
export function clusterFolder(layout: Layout): string {
  return join(layout.cluster, 'clusters', 'kwok');
}

export function apiServerAddress(ports: Ports): string {
  return `https://${LOOPBACK}:${ports['kube-apiserver']}`;
}

/** Addresses of a Service that are always the API server's: in its certificate from the beginning. */
const NAMES_FOR_PODS = ['kubernetes.default.svc.cluster.local', 'localhost'];

const SERVICE_RANGE_FLAG = 'service-cluster-ip-range';

/** kwokctl's configuration as it was written when the cluster was made, or made anew. */
export function configurationFile(layout: Layout): string {
  return join(layout.cluster, 'kwokctl.json');
}

/** A cluster that was made with the default range, of 254 addresses, keeps it: its Services have theirs from there. */
function keepsSmallRange(layout: Layout): boolean {
  try {
    return !readFileSync(configurationFile(layout), 'utf8').includes(SERVICE_RANGE_FLAG);
  } catch {
    return false;
  }
}

/**
 * A KwokctlConfiguration: the same for the same tools and ports.
 * @param real addresses of a real node beside the simulated ones
 */
export function kwokctlConfiguration(
  layout: Layout,
  tools: ClusterTools,
  ports: Ports,
  real?: NodeNetwork,
): Record<string, unknown> {
  const pki = join(clusterFolder(layout), 'pki');
  // Otherwise they make a certificate at each start, signed by nobody.
  const serving = [
    { key: 'tls-cert-file', value: join(pki, 'admin.crt') },
    { key: 'tls-private-key-file', value: join(pki, 'admin.key') },
  ];
  return {
    apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
    kind: 'KwokctlConfiguration',
    options: {
      runtime: 'binary',
      // Without it everything listens on all addresses.
      bindAddress: LOOPBACK,
      etcdPort: ports['etcd'],
      etcdPeerPort: ports['etcd-peer'],
      kubeApiserverPort: ports['kube-apiserver'],
      kubeControllerManagerPort: ports['kube-controller-manager'],
      kubeSchedulerPort: ports['kube-scheduler'],
      kwokControllerPort: ports['kwok-controller'],
      kubeAuthorization: true,
      kubeAdmission: true,
      disableQPSLimits: true,
      enableCRDs: ['Stage', 'ClusterPortForward'],
      etcdBinary: tools.etcd.path,
      kubeApiserverBinary: tools['kube-apiserver'].path,
      kubeControllerManagerBinary: tools['kube-controller-manager'].path,
      kubeSchedulerBinary: tools['kube-scheduler'].path,
      kwokControllerBinary: tools.kwok.path,
      kubectlBinary: tools.kubectl.path,
      ...(real === undefined ? {} : { kubeApiserverCertSANs: [real.host, API_SERVICE_ADDRESS, ...NAMES_FOR_PODS] }),
    },
    componentsPatches: [
      // etcd's JSON gateway takes writes from any web page that finds the port.
      { name: 'etcd', extraArgs: [{ key: 'enable-grpc-gateway', value: 'false' }] },
      // What the API server shows to the kubelet, which lets nobody else in.
      {
        name: 'kube-apiserver',
        extraArgs: [
          { key: 'kubelet-client-certificate', value: join(pki, 'admin.crt') },
          { key: 'kubelet-client-key', value: join(pki, 'admin.key') },
          ...(keepsSmallRange(layout) ? [] : [{ key: SERVICE_RANGE_FLAG, value: SERVICE_RANGE }]),
          ...(real === undefined ? [] : besideReal(real)),
        ],
      },
      // One process of each: elections only delay restarts, by up to 49 s after a full stop.
      { name: 'kube-controller-manager', extraArgs: [{ key: 'leader-elect', value: 'false' }, ...serving] },
      { name: 'kube-scheduler', extraArgs: [{ key: 'leader-elect', value: 'false' }, ...serving] },
      {
        name: 'kwok-controller',
        // Without leases a restarted controller goes on at once; nodes report by their status instead.
        extraArgs: [
          { key: 'node-lease-duration-seconds', value: '0', override: true },
          ...(real === undefined ? [] : SIMULATED_ONLY),
        ],
      },
    ],
  };
}

/** What the API server does only where a node is real. */
function besideReal({ host }: NodeNetwork): { key: string; value: string }[] {
  return [
    // Where pods find it: it listens on loopback, the node's agent passes on.
    { key: 'advertise-address', value: host },
    // No name server knows the names of nodes.
    { key: 'kubelet-preferred-address-types', value: 'InternalIP' },
    // Webhooks are reached at their pods: addresses of Services exist inside the node only.
    { key: 'enable-aggregator-routing', value: 'true' },
    // Sends pods and volumes to the real node; on by default from 1.36.
    { key: 'feature-gates', value: 'MutatingAdmissionPolicy=true' },
    { key: 'runtime-config', value: 'admissionregistration.k8s.io/v1beta1=true' },
  ];
}

/** KWOK would otherwise simulate the real node as well, and every log and command would go to the simulated kubelet. */
const SIMULATED_ONLY = [
  { key: 'manage-all-nodes', value: 'false', override: true },
  { key: 'manage-nodes-with-annotation-selector', value: 'kwok.x-k8s.io/node=fake' },
];
