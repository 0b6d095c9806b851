/**
 * The workflow code of each version that was installed, kept in the cluster: what a deployment has begun under one
 * version ends under it, also when all workers of that version have been replaced.
 */
import { gzipSync } from 'node:zlib';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type KubernetesClient, KubernetesError, paths } from '../../clients/kubernetes/index.ts';
import { type WorkflowBuild, workflowBuild } from '../../clients/temporal/bundle.ts';
import type { Config } from '../../config.ts';
import { isTraced } from '../../environment/fields/telemetry.ts';
import type { Environment } from '../../environment/schema.ts';
import { IN_CLUSTER, MANAGED_BY, MANAGED_BY_LABEL } from '../../contract/names.ts';

type Store = Pick<KubernetesClient, 'list' | 'create' | 'remove'>;

const { namespace } = IN_CLUSTER;
const LABEL = 'ananta-workflows';
/** A deployment takes minutes: nothing runs on under a version that is five upgrades old. */
const KEPT = 5;

export interface KeptWorkflows {
  /** ConfigMaps for the workers to mount, by name; this checkout's is among them. */
  names: string[];
  /** Its ConfigMap is not there yet. */
  missing: boolean;
  build: WorkflowBuild;
}

/** What the cluster has, and what this checkout adds. Writes nothing to the cluster. */
export async function keptWorkflows(
  kubernetes: Pick<Store, 'list'>,
  config: Config,
  environment: Pick<Environment, 'telemetry' | 'encryption'>,
  signal?: AbortSignal,
): Promise<KeptWorkflows> {
  const build = await workflowBuild(config.repoRoot, config.stateRoot, {
    traced: isTraced(environment),
    encrypted: environment.encryption?.mode === 'encrypt',
  });
  const { items } = await kubernetes.list(
    paths.configMaps(namespace),
    { labelSelector: LABEL, metadataOnly: true },
    signal,
  );
  const newestFirst = items
    .sort((a, b) => (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''))
    .map(({ metadata }) => metadata.name);
  const own = nameOf(build);
  const others = newestFirst.filter((name) => name !== own).slice(0, KEPT - 1);
  return { names: [own, ...others].sort(), missing: !newestFirst.includes(own), build };
}

/** Puts this checkout's there, and takes away those that no worker mounts any more. */
export async function keepWorkflows(
  kubernetes: Store,
  { names, missing, build }: KeptWorkflows,
  signal?: AbortSignal,
): Promise<void> {
  if (missing) {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      immutable: true,
      metadata: { name: nameOf(build), namespace, labels: { [MANAGED_BY_LABEL]: MANAGED_BY, [LABEL]: build.buildId } },
      binaryData: { [`${basename(build.path)}.gz`]: gzipSync(await readFile(build.path)).toString('base64') },
    };
    await kubernetes.create(paths.configMaps(namespace), object, signal).catch((error: unknown) => {
      // Somebody else, with the same checkout, was faster.
      if (!(error instanceof KubernetesError) || error.reason !== 'AlreadyExists') throw error;
    });
  }
  const { items } = await kubernetes.list(
    paths.configMaps(namespace),
    { labelSelector: LABEL, metadataOnly: true },
    signal,
  );
  await Promise.all(
    items
      .filter(({ metadata }) => !names.includes(metadata.name))
      .map(({ metadata: { name, uid } }) => kubernetes.remove(paths.configMap(namespace, name), { uid }, signal)),
  );
}

function nameOf({ buildId }: WorkflowBuild): string {
  return `deployer-workflows-${buildId}`;
}
