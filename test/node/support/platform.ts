/**
 * A platform with real pods, as somebody beside it sees it: by kubectl, by the pods' addresses, and by the NodePorts.
 */
import { z } from 'zod';
import { readConfig } from '../../../src/config.ts';
import { readRuntime } from '../../../src/environment/connections.ts';
import { type Kubectl, kubectlOn } from '../../support/sandbox/kubectl.ts';
import type { Sandbox } from '../../support/sandbox/sandbox.ts';

/** Label of the real node, and the selector of the pods that are sent to it. */
const REAL = 'ananta.dev/node=real';

export interface Platform {
  sandbox: Sandbox;
  kubectl: Kubectl;
  /** Address of the real node: its NodePorts. */
  node: string;
  /** All pods of the real node. */
  pods: () => Promise<Pod[]>;
  /** The one ready pod of a release. @throws Error when there is none */
  pod: (release: string) => Promise<Pod>;
  /** Runs a program in a release's pod. @param input reaches its standard input: the place for passwords */
  exec: (release: string, command: readonly string[], input?: string) => Promise<string>;
  /** What the deployer made of a Vault path, as pods of that namespace get it. */
  secret: (namespace: string, path: string) => Promise<Record<string, string>>;
}

const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({
    nodeName: z.string().optional(),
    containers: z.array(z.object({ ports: z.array(z.object({ containerPort: z.number() })).default([]) })).default([]),
  }),
  status: z.object({
    phase: z.string(),
    podIP: z.string().default(''),
    conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    containerStatuses: z
      .array(z.object({ name: z.string(), restartCount: z.number(), ready: z.boolean() }))
      .default([]),
  }),
});

export interface Pod {
  name: string;
  namespace: string;
  uid: string;
  /** Helm release it belongs to. */
  release: string;
  address: string;
  ports: number[];
  phase: string;
  ready: boolean;
  restarts: number;
}

export async function platformOf(sandbox: Sandbox): Promise<Platform> {
  const runtime = await readRuntime({ ...readConfig(), stateRoot: `${sandbox.folder}/state` }, sandbox.name);
  if (!runtime?.cluster) throw new Error('There is no cluster');
  const kubectl = await kubectlOn(runtime.cluster.kubeconfig, sandbox.folder);
  const [name = '', node = ''] = (
    await kubectl([
      'get',
      'nodes',
      '--selector',
      REAL,
      '--output',
      'jsonpath={.items[0].metadata.name} {.items[0].status.addresses[?(@.type=="InternalIP")].address}',
    ])
  ).split(' ');
  if (node === '') throw new Error('There is no real node');
  const pods = async (): Promise<Pod[]> => {
    const list = z
      .object({ items: z.array(podSchema) })
      .parse(
        JSON.parse(
          await kubectl([
            'get',
            'pods',
            '--all-namespaces',
            '--field-selector',
            `spec.nodeName=${name}`,
            '--output',
            'json',
          ]),
        ),
      );
    return list.items.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      namespace: metadata.namespace,
      uid: metadata.uid,
      release: metadata.labels['app.kubernetes.io/instance'] ?? '',
      address: status.podIP,
      ports: spec.containers.flatMap(({ ports }) => ports.map(({ containerPort }) => containerPort)),
      phase: status.phase,
      ready: status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
      restarts: status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
    }));
  };
  const pod = async (release: string): Promise<Pod> => {
    const found = (await pods()).find((candidate) => candidate.release === release && candidate.ready);
    if (!found) throw new Error(`${release} has no ready pod on the real node`);
    return found;
  };
  return {
    sandbox,
    kubectl,
    node,
    pods,
    pod,
    exec: async (release, command, input) => {
      const { namespace, name: podName } = await pod(release);
      return kubectl(['exec', '--stdin', '--namespace', namespace, podName, '--', ...command], input);
    },
    secret: async (namespace, path) => {
      const { data } = z
        .object({ data: z.record(z.string(), z.string()) })
        .parse(
          JSON.parse(
            await kubectl([
              'get',
              'secret',
              '--namespace',
              namespace,
              `vault-${path.replaceAll('/', '-')}`,
              '--output',
              'json',
            ]),
          ),
        );
      return Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
      );
    },
  };
}

/** Time limit for effects that follow by themselves. */
const PATIENCE_MS = 60_000;

/** @returns what `look` finds, as soon as it finds anything @throws the last error, or says what was waited for */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${patienceMs / 1000} s`, { cause: last });
    await new Promise((resolve) => {
      setTimeout(resolve, 250);
    });
  }
}
