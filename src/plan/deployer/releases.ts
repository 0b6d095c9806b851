/** What `install` puts into the target cluster: releases in order, with chart, values and a digest over both. */
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import { IN_CLUSTER } from '../../contract/names.ts';
import { mergeTrees, type Tree } from '../../environment/files/merge.ts';
import type { Environment } from '../../environment/schema.ts';
import { isLoopback, listenAddress } from '../../environment/fields/telemetry.ts';
import { digestOf, folderDigest } from '../digest.ts';
import { helmText } from '../inputs/kubernetes-yaml.ts';
import { readValues } from '../inputs/values-files.ts';
import { ENGINE_IMAGES, imageValues } from './image.ts';

export interface DeployerRelease {
  /** Also the name of its values file. */
  name: string;
  namespace: string;
  /** It has to complete. */
  job: boolean;
  chartPath: string;
  values: Tree;
  /** 16 hex characters over chart and values. */
  digest: string;
  /** Seconds until it has to be healthy. */
  timeoutSeconds: number;
}

export interface DeployerInputs {
  /** NAME:TAG or NAME@sha256:DIGEST of the workers' image. */
  image: string;
  /** The environment's file and all that it extends, by file name. */
  environmentFiles: Readonly<Record<string, string>>;
  /** ConfigMaps with the workflow code of the versions that were installed, this one's included. */
  workflows: readonly string[];
  /** Whether the workers need a Secret to open an engine outside the cluster. */
  engineAccess: boolean;
}

/** What the worker gets on top of Helm's time: for a release to be marked and for the answers to reach the engine. */
const AFTER_HELM_SECONDS = 30;
/** From the end of the activities' time to the end of the process, in which they are cancelled, and a margin. */
const AFTER_GRACE_SECONDS = 30;

/** Seconds that a worker's running activities get when its pod is asked to end: Helm is never cut short by it. */
export function workerGraceSeconds({ helm }: Pick<Environment, 'helm'>): number {
  return Math.ceil(helm.timeoutSeconds) + AFTER_HELM_SECONDS;
}

/**
 * In the order in which they are installed: each needs those before it. Without an engine in the cluster only the
 * workers.
 */
export async function deployerReleases(
  environment: Environment,
  config: Pick<Config, 'repoRoot'>,
  inputs: DeployerInputs,
): Promise<DeployerRelease[]> {
  const helm = join(config.repoRoot, 'helm');
  const chartPath = join(helm, 'charts', 'deployer');
  const chart = await folderDigest(chartPath);
  const make = async ({ name, job = false, timeoutSeconds, own }: Part): Promise<DeployerRelease> => {
    const values = mergeTrees(
      await readValues(join(helm, 'values', 'deployer', `${name}.yaml`)),
      mergeTrees(common(environment, name), own),
    );
    const digest = digestOf([chart, values]);
    // A changed Job is a new Job: what was applied cannot be changed, and what completed stays as a receipt.
    const named = job ? mergeTrees(values, { job: { name: `${name}-${digest.slice(0, 8)}` } }) : values;
    return { name, namespace: IN_CLUSTER.namespace, job, chartPath, values: named, digest, timeoutSeconds };
  };
  return Promise.all([...engineParts(environment), worker(environment, inputs)].map(make));
}

/** For Helm's standard input. */
export function writtenValues({ values }: Pick<DeployerRelease, 'values'>): string {
  return helmText(values);
}

interface Part {
  name: string;
  job?: boolean;
  timeoutSeconds: number;
  own: Tree;
}

function common(environment: Environment, name: string): Tree {
  return {
    fullnameOverride: name,
    imagePullSecrets: environment.images.pullSecrets,
    global: { environment: environment.name },
  };
}

function engineParts({ engine, storage }: Environment): Part[] {
  if (!('inCluster' in engine)) return [];
  const { inCluster } = engine;
  const storageClass = inCluster.storage.class ?? storage.class;
  return [
    {
      name: IN_CLUSTER.database,
      timeoutSeconds: 300,
      own: {
        image: pick(ENGINE_IMAGES.database),
        service: { ports: [{ name: 'tcp', port: 5432, containerPort: 5432, protocol: 'tcp' }] },
        storage: { ...(storageClass === undefined ? {} : { class: storageClass }), size: inCluster.storage.size },
        networkPolicy: from(IN_CLUSTER.engine, IN_CLUSTER.schema),
        ...(inCluster.resources.database ? { resources: inCluster.resources.database } : {}),
      },
    },
    {
      name: IN_CLUSTER.schema,
      job: true,
      timeoutSeconds: 600,
      own: { image: pick(ENGINE_IMAGES.adminTools), networkPolicy: from() },
    },
    {
      name: IN_CLUSTER.engine,
      timeoutSeconds: 300,
      own: {
        image: pick(ENGINE_IMAGES.server),
        replicaCount: inCluster.replicas,
        env: { NUM_HISTORY_SHARDS: String(inCluster.historyShards) },
        service: { ports: [{ name: 'grpc', port: 7233, containerPort: IN_CLUSTER.enginePort, protocol: 'grpc' }] },
        networkPolicy: from(IN_CLUSTER.worker, IN_CLUSTER.ui),
        ...(inCluster.resources.server ? { resources: inCluster.resources.server } : {}),
      },
    },
    {
      name: IN_CLUSTER.ui,
      timeoutSeconds: 180,
      own: {
        image: pick(ENGINE_IMAGES.ui),
        env: { TEMPORAL_DEFAULT_NAMESPACE: inCluster.namespace },
        service: {
          ports: [{ name: 'http', port: IN_CLUSTER.uiPort, containerPort: IN_CLUSTER.uiPort, protocol: 'http' }],
        },
        // Nobody in the cluster: it is looked at through a port-forward.
        networkPolicy: from(),
      },
    },
  ];
}

function worker(environment: Environment, { image, environmentFiles, workflows, engineAccess }: DeployerInputs): Part {
  const grace = workerGraceSeconds(environment);
  const { claim, to } = environment.backup ?? {};
  return {
    name: IN_CLUSTER.worker,
    // Old ones end only after what they have begun.
    timeoutSeconds: 300,
    own: {
      image: imageValues(image),
      replicaCount: environment.deployer.replicas,
      args: ['worker', '--env', environment.name],
      env: { ANANTA_GRACE_SECONDS: String(grace) },
      files: { environments: { ...environmentFiles } },
      ...(engineAccess ? { secretFiles: { '/etc/ananta/engine': { secret: 'deployer/engine-access' } } } : {}),
      volumes: [
        {
          name: 'workflows',
          projected: { sources: workflows.map((name) => ({ configMap: { name, optional: true } })) },
        },
        ...(claim === undefined ? [] : [{ name: 'backups', persistentVolumeClaim: { claimName: claim } }]),
      ],
      volumeMounts: [
        { name: 'workflows', mountPath: '/etc/ananta/workflows', readOnly: true },
        ...(claim === undefined ? [] : [{ name: 'backups', mountPath: typeof to === 'string' ? to : '' }]),
      ],
      terminationGracePeriodSeconds: grace + AFTER_GRACE_SECONDS,
      networkPolicy: from(),
      ...listeningOf(environment),
      ...(environment.deployer.resources ? { resources: environment.deployer.resources } : {}),
    },
  };
}

/** Ports for Prometheus and for answers by links; what listens on the pod's loopback is nobody's. */
function listeningOf({ telemetry, notify }: Environment): Tree {
  const { metrics } = telemetry ?? {};
  const ports = [
    { name: 'metrics', listen: metrics?.listen, peer: metrics?.scrapeFrom },
    { name: 'answers', listen: notify.links?.listen, peer: notify.links?.from },
  ].flatMap(({ name, listen, peer }) =>
    listen === undefined || isLoopback(listenAddress(listen)) ? [] : [{ name, port: listenAddress(listen).port, peer }],
  );
  if (ports.length === 0) return {};
  const peers = [...new Set(ports.flatMap(({ peer }) => peer ?? []))];
  return {
    service: { ports: ports.map(({ name, port }) => ({ name, port, containerPort: port, protocol: 'http' })) },
    ...(peers.length === 0
      ? {}
      : { networkPolicy: { ...from(), alsoFrom: peers.map((namespace) => ({ namespace })) } }),
  };
}

function from(...releases: string[]): Tree {
  return { enabled: true, from: releases.map((instance) => ({ namespace: IN_CLUSTER.namespace, instance })) };
}

function pick({ repository, tag }: { repository: string; tag: string }): Tree {
  return { repository, tag };
}
