/** How kwokctl is told to make the control plane. */
import { join } from 'node:path';
import type { Layout } from '../layout.ts';
import { LOOPBACK, type Ports } from '../process/ports.ts';
import type { InstalledTool, ToolName } from '../tools/index.ts';

export const CLUSTER_PORTS = ['etcd', 'etcd-peer', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok-controller'] as const;
export const CLUSTER_TOOLS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwokctl', 'kwok', 'kubectl'] as const satisfies readonly ToolName[];
export type ClusterTools = Record<(typeof CLUSTER_TOOLS)[number], InstalledTool>;

/** The processes of the control plane, in the order in which they need each other. */
export const CLUSTER_COMPONENTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok-controller'] as const;
export type ClusterComponentName = (typeof CLUSTER_COMPONENTS)[number];

/** kwokctl's folder of the one cluster that an environment has. */
export function clusterFolder(layout: Layout): string {
  return join(layout.cluster, 'clusters', 'kwok');
}

export function apiServerAddress(ports: Ports): string {
  return `https://${LOOPBACK}:${ports['kube-apiserver']}`;
}

/** A KwokctlConfiguration: the same for the same tools and ports. */
export function kwokctlConfiguration(layout: Layout, tools: ClusterTools, ports: Ports): Record<string, unknown> {
  const pki = join(clusterFolder(layout), 'pki');
  // Otherwise they make a certificate at each start, signed by nobody.
  const serving = [{ key: 'tls-cert-file', value: join(pki, 'admin.crt') }, { key: 'tls-private-key-file', value: join(pki, 'admin.key') }];
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
    },
    componentsPatches: [
      // etcd's JSON gateway takes writes from any web page that finds the port.
      { name: 'etcd', extraArgs: [{ key: 'enable-grpc-gateway', value: 'false' }] },
      // What the API server shows to the kubelet, which lets nobody else in.
      { name: 'kube-apiserver', extraArgs: [{ key: 'kubelet-client-certificate', value: join(pki, 'admin.crt') }, { key: 'kubelet-client-key', value: join(pki, 'admin.key') }] },
      // One process of each: elections only delay restarts, by up to 49 s after a full stop.
      { name: 'kube-controller-manager', extraArgs: [{ key: 'leader-elect', value: 'false' }, ...serving] },
      { name: 'kube-scheduler', extraArgs: [{ key: 'leader-elect', value: 'false' }, ...serving] },
      {
        name: 'kwok-controller',
        // Without leases a restarted controller plays on at once; nodes report by their status instead.
        extraArgs: [{ key: 'node-lease-duration-seconds', value: '0', override: true }],
      },
    ],
  };
}
