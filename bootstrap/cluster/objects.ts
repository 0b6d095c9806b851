/**
 * What an embedded cluster holds besides its Stages: nodes, storage, the ways into simulated pods, and who may use
 * them.
 */
import { LOOPBACK } from '../process/ports.ts';
import type { ApiObject } from './api.ts';
import { type ClaimName, stages, storageClass } from './stages/index.ts';

export const NODE_LABEL = 'simulation.ananta.dev/node';
const MANAGED = { 'app.kubernetes.io/managed-by': 'ananta-deploy' };

export interface ClusterContents {
  nodes: number;
  /** Seconds by release. */
  startupSeconds: Readonly<Record<string, number>>;
  responderPort: number;
  /** Where the API server reaches the kubelet of all nodes. */
  kubeletPort: number;
  vaultPort: number;
  /** Container ports behind which Vault answers in its pod. */
  vaultContainerPorts: readonly number[];
  /** Claims whose data are Vault's. */
  vaultClaims: readonly ClaimName[];
  /** Names of the storage classes that there are. */
  storageClasses: readonly string[];
  /**
   * Container port to the port of this machine on which a real engine answers, where one stands behind the pods of an
   * engine in the cluster.
   */
  engineForwards: readonly { containerPort: number; port: number }[];
  /** Container port to the responder's port for services whose check is a plain connection. */
  tcpForwards: readonly { containerPort: number; port: number }[];
  /** The only commands that may be executed in simulated pods. */
  commands: readonly (readonly string[])[];
  /** For a real node beside the simulated ones; absent where there is none. */
  real?: readonly ApiObject[];
}

export function clusterObjects(contents: ClusterContents): ApiObject[] {
  return [
    ...stages(contents.startupSeconds, contents.kubeletPort, contents.vaultClaims, contents.storageClasses),
    ...contents.storageClasses.map((name) => storageClass(name)),
    portForwards(contents),
    // It treats the pods of a real node like all others; simulated containers then report by themselves what they lack.
    ...(contents.real ?? execPolicy(contents.commands)),
    ...Array.from({ length: contents.nodes }, (_, index) => node(index)),
  ];
}

export function simulatedNode(index: number): string {
  return `node-${index}`;
}

export function isSimulatedNode(name: string): boolean {
  return /^node-\d+$/.test(name);
}

/** Large enough for every request of every chart; charts of others ask for ephemeral-storage, too. */
function node(index: number): ApiObject {
  const name = simulatedNode(index);
  const size = { cpu: '64', memory: '512Gi', 'ephemeral-storage': '4Ti', pods: '500' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        ...MANAGED,
        [NODE_LABEL]: 'true',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': process.arch === 'arm64' ? 'arm64' : 'amd64',
        'topology.kubernetes.io/zone': `zone-${index % 3}`,
      },
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
    },
    status: { allocatable: size, capacity: size },
  };
}

/** One rule for all pods: KWOK takes the first that fits, and the order of several is not defined. */
function portForwards({
  responderPort,
  vaultPort,
  vaultContainerPorts,
  engineForwards,
  tcpForwards,
}: ClusterContents): ApiObject {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'ClusterPortForward',
    metadata: { name: 'simulated-pods', labels: MANAGED },
    spec: {
      forwards: [
        ...(vaultContainerPorts.length === 0
          ? []
          : [{ ports: [...vaultContainerPorts], target: { address: LOOPBACK, port: vaultPort } }]),
        ...[...engineForwards, ...tcpForwards].map(({ containerPort, port }) => ({
          ports: [containerPort],
          target: { address: LOOPBACK, port },
        })),
        { target: { address: LOOPBACK, port: responderPort } },
      ],
    },
  };
}

/** Nothing can be run in a simulated pod: `exec` fails with that reason instead of returning made-up output. */
export function execPolicy(commands: readonly (readonly string[])[]): ApiObject[] {
  const name = 'exec-health-checks-only.simulation.ananta.dev';
  const allowed = [...new Set(commands.map((command) => JSON.stringify(command)))].sort().join(', ');
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name, labels: MANAGED },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CONNECT'], resources: ['pods/exec', 'pods/attach'] },
          ],
        },
        validations: [
          {
            expression: `has(object.command) && object.command in [${allowed}]`,
            message:
              'Pods of this cluster are simulated: only the health check commands of the catalog can be executed in them.',
            reason: 'Forbidden',
          },
        ],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name, labels: MANAGED },
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ];
}
