/** Configuration files of a real node's programs. Pure. */
import { CONTAINERD_SOCKET, NODE_NAME, type NodeLayout } from './layout.ts';
import { REAL_TAINT } from './labels.ts';
import { DNS_SERVICE_ADDRESS, type NodeNetwork } from './network.ts';
import { PAUSE_IMAGE } from './pause.ts';
import { join } from 'node:path';

export const KUBELET_HEALTH_PORT = 10_248;
export const PROXY_HEALTH_PORT = 10_256;
export const DNS_HEALTH_PORT = 8_181;
export const CLUSTER_DOMAIN = 'cluster.local';
/** Enough for the platform several times over; host-local has an address for each. */
const MAX_PODS = 250;

/** @param cniPrograms folder of the CNI plug-ins on this machine */
export function containerdConfig(layout: NodeLayout, cniPrograms: string): string {
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.tracing"]

[grpc]
  address = "${CONTAINERD_SOCKET}"

[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Lowering a process's score needs a capability that a container, or a virtual machine's guest, may lack.
  restrict_oom_score_adj = true
  # Otherwise the handles of pods' networks would lie in the machine's /run/netns.
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniPrograms}"
    conf_dir = "${join(layout.config, 'cni')}"
`;
}

export function cniConfig({ pods }: NodeNetwork): Record<string, unknown> {
  return {
    cniVersion: '0.4.0',
    name: 'ananta',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        hairpinMode: true,
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: '/var/lib/cni/networks',
          ranges: [[{ subnet: pods }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

export function kubeletConfig(
  layout: NodeLayout,
  network: NodeNetwork,
  clusterAuthority: string,
): Record<string, unknown> {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: network.node,
    readOnlyPort: 0,
    healthzBindAddress: network.node,
    healthzPort: KUBELET_HEALTH_PORT,
    tlsCertFile: join(layout.pki, 'kubelet-server.crt'),
    tlsPrivateKeyFile: join(layout.pki, 'kubelet-server.key'),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: clusterAuthority },
    },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    volumePluginDir: '/var/lib/kubelet/volume-plugins',
    clusterDomain: CLUSTER_DOMAIN,
    clusterDNS: [DNS_SERVICE_ADDRESS],
    resolvConf: join(layout.config, 'resolv.conf'),
    // Old and new control groups alike; one of our own above all pods, so that what is left of them is not mistaken
    // for somebody else's.
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${layout.cgroup}`,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    oomScoreAdj: 0,
    maxPods: MAX_PODS,
    serializeImagePulls: false,
    maxParallelImagePulls: 4,
    registryPullQPS: 0,
    // Imported images cannot be pulled again: they are never collected.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'nodefs.inodesFree': '1%',
      'imagefs.available': '1%',
    },
    registerWithTaints: [REAL_TAINT],
    containerLogMaxSize: '10Mi',
    containerLogMaxFiles: 3,
  };
}

export function proxyConfig(layout: NodeLayout, network: NodeNetwork): Record<string, unknown> {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: join(layout.config, 'kube-proxy.kubeconfig') },
    hostnameOverride: NODE_NAME,
    clusterCIDR: network.pods,
    bindAddress: network.node,
    healthzBindAddress: `${network.node}:${PROXY_HEALTH_PORT}`,
    metricsBindAddress: '127.0.0.1:10249',
    nodePortAddresses: [`${network.node}/32`],
    // kube-proxy leaves the machine's own connection limits as they are.
    conntrack: { maxPerCore: 0, min: 0 },
    oomScoreAdj: 0,
  };
}

/** @param upstream name servers of this machine; none where pods have no way out */
export function corefile(layout: NodeLayout, network: NodeNetwork, upstream: readonly string[]): string {
  return `.:53 {
    bind ${network.node}
    errors
    ready ${network.node}:${DNS_HEALTH_PORT}
    kubernetes ${CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {
        kubeconfig ${JSON.stringify(join(layout.config, 'coredns.kubeconfig'))}
        pods insecure
        ttl 5
        fallthrough in-addr.arpa ip6.arpa
    }
    cache 5
${upstream.length === 0 ? '' : `    forward . ${upstream.join(' ')}\n`}}
`;
}

/** @param server as the node reaches it */
export function kubeconfig(
  server: string,
  user: string,
  files: { authority: string; certificate: string; key: string },
): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'node',
    clusters: [{ name: 'node', cluster: { server, 'certificate-authority': files.authority } }],
    contexts: [{ name: 'node', context: { cluster: 'node', user } }],
    users: [{ name: user, user: { 'client-certificate': files.certificate, 'client-key': files.key } }],
  };
}
