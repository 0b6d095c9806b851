/** What the cluster of one environment has to hold, from catalog and environment; and putting it there. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Catalog } from '../../src/catalog/schema.ts';
import { IN_CLUSTER } from '../../src/contract/names.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { realServices } from '../../src/environment/real-node.ts';
import { allReleases } from '../../src/plan/releases.ts';
import { startupSeconds } from '../../src/plan/inputs/startup.ts';
import type { Layout } from '../layout.ts';
import { readText, writeFileDurably } from '../process/files.ts';
import type { Ports } from '../process/ports.ts';
import { type Vitals, vitalsIn } from '../vitals.ts';
import { waitWhileMoving } from '../process/wait.ts';
import { KUBELET_PORT, tcpPortName } from '../responder/index.ts';
import type { KnownCommand } from '../responder/kubelet/exec.ts';
import type { KnownAnswer } from '../responder/server.ts';
import type { NodeNetwork } from '../node/network.ts';
import { nodeObjects } from '../node/objects.ts';
import { type Api, ApiError, type ApiObject } from './api.ts';
import { type ClusterContents, NODE_LABEL, clusterObjects, execPolicy, simulatedNode } from './objects.ts';
import { kubeletEndpoint, storageClasses } from './stages/index.ts';

export interface TcpService {
  service: string;
  containerPort: number;
}

/**
 * Services whose health check is a plain connection; one for each container port, since a connection carries no name.
 */
export function tcpServices(catalog: Catalog): TcpService[] {
  const byPort = new Map<number, TcpService>();
  for (const { name, health } of catalog.services) {
    if (health.kind === 'tcp' && !byPort.has(health.port))
      byPort.set(health.port, { service: name, containerPort: health.port });
  }
  return [...byPort.values()];
}

/** What exec health checks run, and what they print when all is well. */
export function knownCommands(catalog: Catalog): KnownCommand[] {
  return catalog.services.flatMap(({ health }) =>
    health.kind === 'exec' ? [{ command: health.command, answer: health.answer ?? 'ok' }] : [],
  );
}

/** What checks ask of simulated pods, where the catalog says how they answer. */
export function knownAnswers({ services, prometheus }: Catalog): KnownAnswer[] {
  return services.flatMap(({ name, checks }) =>
    checks.flatMap((check): KnownAnswer[] => {
      if (check.kind === 'http' && check.answer !== undefined)
        return [{ service: name, method: check.method, path: check.path, ...check.answer }];
      if (check.kind !== 'promql' || prometheus === undefined) return [];
      const value = { metric: {}, value: [0, String(check.answer)] };
      const data = { resultType: 'vector', result: check.answer === undefined ? [] : [value] };
      return [
        {
          service: prometheus.service,
          method: 'GET',
          path: `/api/v1/query?query=${encodeURIComponent(check.query)}`,
          status: 200,
          headers: {},
          body: JSON.stringify({ status: 'success', data }),
        },
      ];
    }),
  );
}

/** What exec health checks run. */
export function execCommands(catalog: Catalog): string[][] {
  return catalog.services.flatMap(({ health }) => (health.kind === 'exec' ? [health.command] : []));
}

/** Kubernetes collects the ends of a Job's pods for a second before it calls the Job complete. */
const JOB_CONTROLLER_SECONDS = 1;

/** So that a Job is complete after its time, its pod ends a little before. */
function podSeconds(job: boolean, seconds: number): number {
  return job ? Math.max(seconds - JOB_CONTROLLER_SECONDS, 0) : seconds;
}

/** The claim that a StatefulSet makes from its template `data`, for the first pod of Vault. */
export function vaultClaims(catalog: Catalog): { namespace: string; name: string }[] {
  return catalog.services
    .filter(({ health }) => health.kind === 'vault')
    .map(({ name, namespace }) => ({ namespace, name: `data-${name}-0` }));
}

/** @param network of the real node, where the environment has one */
export function contentsOf(
  catalog: Catalog,
  environment: Environment,
  ports: Ports,
  network?: NodeNetwork,
): ClusterContents {
  const real = realServices(environment, catalog);
  const simulated = catalog.services.filter(({ name }) => !real.includes(name));
  return {
    nodes: 'embedded' in environment.cluster ? environment.cluster.embedded.nodes : 0,
    startupSeconds: Object.fromEntries(
      allReleases(catalog)
        .filter(({ kind }) => kind === 'release')
        .map((release) => [
          release.name,
          podSeconds(release.job, startupSeconds(environment, release.name, release.startupSeconds)),
        ]),
    ),
    responderPort: ports['responder'] as number,
    kubeletPort: ports[KUBELET_PORT] as number,
    vaultPort: ports['vault'] as number,
    vaultContainerPorts: simulated.flatMap(({ health }) => (health.kind === 'vault' ? [health.port] : [])),
    vaultClaims: vaultClaims(catalog),
    storageClasses: storageClasses(environment.storage.class),
    engineForwards:
      'inCluster' in environment.engine
        ? [
            { containerPort: IN_CLUSTER.enginePort, port: ports['temporal'] as number },
            { containerPort: IN_CLUSTER.uiPort, port: ports['temporal-ui'] as number },
          ]
        : [],
    tcpForwards: tcpServices(catalog).map(({ service, containerPort }) => ({
      containerPort,
      port: ports[tcpPortName(service)] as number,
    })),
    commands: execCommands(catalog),
    ...(network === undefined
      ? {}
      : {
          real: nodeObjects(
            network,
            allReleases(catalog)
              .filter(({ service }) => real.includes(service))
              .map(({ name }) => name),
          ),
        }),
  };
}

/**
 * Applies what is not as it should be: all of it after a start, otherwise only when it differs from what was applied
 * last, or when somebody has deleted nodes.
 * @returns whether anything was applied
 */
export async function applyContents(
  layout: Layout,
  api: Api,
  contents: ClusterContents,
  afterStart: boolean,
): Promise<boolean> {
  const vitals = vitalsIn(layout);
  const objects = clusterObjects(contents);
  const digest = createHash('sha256').update(JSON.stringify(objects)).digest('hex').slice(0, 16);
  const marker = join(layout.cluster, 'applied');
  if (!afterStart && (await readText(marker)) === digest && (await nodesAreThere(api, contents))) return false;
  await Promise.all(objects.map((object) => applyRetrying(api, object, vitals)));
  if (contents.real !== undefined) for (const object of execPolicy(contents.commands)) await api.remove(object);
  await removeOthers(api, objects);
  await tellNodes(api, contents);
  await writeFileDurably(marker, digest);
  return true;
}

/** Right after the start of an API server its custom resources may not be served yet. */
async function applyRetrying(api: Api, object: ApiObject, vitals: Vitals): Promise<void> {
  let last = '';
  await waitWhileMoving(
    `${object.kind} ${object.metadata.name}`,
    { standstillMs: 30_000, intervalMs: 100, signs: async () => `${last}; ${await vitals('kube-apiserver')}` },
    async () => {
      try {
        await api.apply(object);
        return true;
      } catch (error) {
        if (error instanceof ApiError && ![404, 409, 429, 500, 503].includes(error.status)) throw error;
        last = (error as Error).message;
        return undefined;
      }
    },
  );
}

/** Without them no pod starts, and nobody else makes them again. */
async function nodesAreThere(api: Api, { nodes }: Pick<ClusterContents, 'nodes'>): Promise<boolean> {
  const path = `/api/v1/nodes?labelSelector=${encodeURIComponent(`${NODE_LABEL}=true`)}`;
  const { items } = (await api.request('GET', path)) as { items: { metadata: { name: string } }[] };
  const names = new Set(items.map(({ metadata }) => metadata.name));
  return Array.from({ length: nodes }, (_, index) => simulatedNode(index)).every((name) => names.has(name));
}

/** Existing nodes would report another port only with their next heartbeat. */
async function tellNodes(api: Api, { nodes, kubeletPort }: ClusterContents): Promise<void> {
  const content = { status: kubeletEndpoint(kubeletPort) };
  await Promise.all(
    Array.from({ length: nodes }, (_, index) =>
      api.request('PATCH', `/api/v1/nodes/${simulatedNode(index)}/status`, {
        type: 'application/merge-patch+json',
        content,
      }),
    ),
  );
}

/** Nodes and Stages of ours that are wanted no more; failures that somebody asked for stay. */
async function removeOthers(api: Api, objects: readonly ApiObject[]): Promise<void> {
  const wanted = new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const lists = [
    { kind: 'Node', apiVersion: 'v1', path: '/api/v1/nodes', selector: `${NODE_LABEL}=true` },
    {
      kind: 'Stage',
      apiVersion: 'kwok.x-k8s.io/v1alpha1',
      path: '/apis/kwok.x-k8s.io/v1alpha1/stages',
      selector: 'app.kubernetes.io/managed-by=ananta-deploy,!simulation.ananta.dev/failure',
    },
  ];
  for (const { kind, apiVersion, path, selector } of lists) {
    const { items } = (await api.request('GET', `${path}?labelSelector=${encodeURIComponent(selector)}`)) as {
      items: { metadata: { name: string } }[];
    };
    for (const { metadata } of items)
      if (!wanted.has(`${kind}/${metadata.name}`)) await api.remove({ apiVersion, kind, metadata });
  }
}

/** @returns true, or undefined for "not yet" */
export async function nodeIsReady(api: Api, name: string): Promise<true | undefined> {
  try {
    const { status } = (await api.request('GET', `/api/v1/nodes/${name}`)) as {
      status?: { conditions?: { type: string; status: string }[] };
    };
    return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
      ? true
      : undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** Nodes ready, and a service account there: a pod made before that would be refused. */
export async function awaitUsable(
  api: Pick<Api, 'request'>,
  nodes: number,
  vitals: Vitals,
  signal: AbortSignal | undefined,
  standstillMs = 60_000,
): Promise<void> {
  let ready = 0;
  await waitWhileMoving(
    'the nodes',
    {
      standstillMs,
      signal,
      signs: async () => `${ready} of ${nodes} are ready; kwok-controller: ${await vitals('kwok-controller')}`,
    },
    async () => {
      const { items } = (await patientGet(api, `/api/v1/nodes?labelSelector=${NODE_LABEL}%3Dtrue`, { items: [] })) as {
        items: { status?: { conditions?: { type: string; status: string }[] } }[];
      };
      ready = items.filter(
        ({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true,
      ).length;
      return ready >= nodes ? true : undefined;
    },
  );
  await waitWhileMoving(
    'the default service account',
    {
      standstillMs,
      signal,
      signs: async () => `kube-controller-manager makes it: ${await vitals('kube-controller-manager')}`,
    },
    async () => {
      const path = '/api/v1/namespaces/default/serviceaccounts/default';
      return (await patientGet(api, path, undefined)) === undefined ? undefined : true;
    },
  );
}

/** An API server that is slow, or is started again, is not there yet. */
async function patientGet(api: Pick<Api, 'request'>, path: string, otherwise: unknown): Promise<unknown> {
  try {
    return await api.request('GET', path);
  } catch (error) {
    if (error instanceof ApiError && error.status < 500 && ![404, 429].includes(error.status)) throw error;
    return otherwise;
  }
}
