/** What a finished deployment left in the cluster, read with plain HTTP through the sandbox's own kubeconfig. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Catalog } from '../../../src/catalog/schema.ts';
import { createKubernetesClient, type KubernetesClient } from '../../../src/clients/kubernetes/index.ts';
import { readConfig } from '../../../src/config.ts';
import { readRuntime } from '../../../src/environment/connections.ts';
import { wantedSecrets } from '../../../src/plan/vault/kubernetes-secrets.ts';
import type { Sandbox } from './sandbox.ts';

export async function clusterOf(sandbox: Sandbox): Promise<KubernetesClient> {
  return createKubernetesClient({ kubeconfig: await kubeconfigOf(sandbox), inCluster: false });
}

/** @throws Error when the sandbox has no cluster yet */
export async function kubeconfigOf(sandbox: Sandbox): Promise<string> {
  const config = { ...readConfig(), stateRoot: `${sandbox.folder}/state` };
  const runtime = await readRuntime(config, sandbox.name);
  if (!runtime?.cluster) throw new Error('The sandbox has no cluster');
  return runtime.cluster.kubeconfig;
}

export interface Facts {
  /** `namespace/release` to its revisions, oldest first, each `revision:status`. */
  releases: Record<string, string[]>;
  /** `namespace/job` to how often its pods were made and succeeded. */
  jobs: Record<string, { pods: number; succeeded: number; uid: string }>;
  /** `namespace/name` of the Secrets made from Vault to a digest of their data. */
  secrets: Record<string, string>;
  /** Those of them that Kubernetes has filled with a token of a service account; they go with it. */
  tokens: string[];
  /** uids of the workloads: nothing may have been deleted and made anew. */
  workloads: Record<string, string>;
}

const secretSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
  type: z.string().optional(),
  data: z.record(z.string(), z.string()).default({}),
});
const namedSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  status: z.object({ succeeded: z.number().optional() }).optional(),
});

export async function factsOf(cluster: KubernetesClient): Promise<Facts> {
  const [releases, secrets, jobs, pods, deployments, statefulSets] = await Promise.all([
    listed(cluster, '/api/v1/secrets?', secretSchema, 'owner=helm'),
    listed(cluster, '/api/v1/secrets?', secretSchema),
    listed(cluster, '/apis/batch/v1/jobs', namedSchema),
    listed(cluster, '/api/v1/pods', namedSchema),
    listed(cluster, '/apis/apps/v1/deployments', namedSchema),
    listed(cluster, '/apis/apps/v1/statefulsets', namedSchema),
  ]);
  const facts: Facts = { releases: {}, jobs: {}, secrets: {}, tokens: [], workloads: {} };
  for (const { metadata } of releases.sort(
    (a, b) => Number(a.metadata.labels['version']) - Number(b.metadata.labels['version']),
  )) {
    (facts.releases[`${metadata.namespace}/${metadata.labels['name'] ?? ''}`] ??= []).push(
      `${metadata.labels['version'] ?? ''}:${metadata.labels['status'] ?? ''}`,
    );
  }
  for (const job of jobs) {
    const made = pods.filter(
      (pod) =>
        pod.metadata.namespace === job.metadata.namespace && pod.metadata.labels['job-name'] === job.metadata.name,
    );
    facts.jobs[`${job.metadata.namespace}/${job.metadata.name}`] = {
      pods: made.length,
      succeeded: job.status?.succeeded ?? 0,
      uid: job.metadata.uid,
    };
  }
  for (const { metadata, type, data } of secrets) {
    if (!metadata.name.startsWith('vault-')) continue;
    if (type === 'kubernetes.io/service-account-token') facts.tokens.push(`${metadata.namespace}/${metadata.name}`);
    facts.secrets[`${metadata.namespace}/${metadata.name}`] = createHash('sha256')
      .update(JSON.stringify(Object.entries(data).sort()))
      .digest('hex');
  }
  for (const { metadata } of [...deployments, ...statefulSets])
    facts.workloads[`${metadata.namespace}/${metadata.name}`] = metadata.uid;
  return facts;
}

/**
 * All values that Vault generated and that ended in Kubernetes Secrets, longer than what could stand anywhere by
 * chance, with the place each was found in. What the catalog declares as fixed (user names, addresses) is no secret.
 */
export async function secretValues(cluster: KubernetesClient, catalog: Catalog): Promise<Map<string, string>> {
  const fixed = new Set(
    catalog.secretPaths.flatMap(({ keys }) => keys.flatMap((key) => (key.kind === 'fixed' ? [key.value] : []))),
  );
  const named = new Set(wantedSecrets(catalog).map(({ name }) => name));
  const secrets = await listed(cluster, '/api/v1/secrets', secretSchema);
  const values = new Map<string, string>();
  for (const { metadata, data } of secrets) {
    if (!metadata.name.startsWith('vault-') && !named.has(metadata.name)) continue;
    for (const [key, encoded] of Object.entries(data)) {
      const value = Buffer.from(encoded, 'base64').toString();
      if (value.length >= 16 && !fixed.has(value)) values.set(value, `${metadata.namespace}/${metadata.name} ${key}`);
    }
  }
  return values;
}

/** How many values of the platform are generated, end in Secrets, and are too long to stand anywhere by chance. */
export function generatedInSecrets(catalog: Catalog): number {
  const wanted = wantedSecrets(catalog);
  return catalog.secretPaths.flatMap(({ path, keys }) =>
    keys.filter(
      (key) =>
        key.kind === 'generated' &&
        key.length >= 16 &&
        wanted.some((secret) => secret.path === path && secret.keys.includes(key.name)),
    ),
  ).length;
}

/** The decoded content of every Helm release: values and manifests as anybody with access reads them. */
export async function decodedReleases(cluster: KubernetesClient): Promise<{ name: string; text: string }[]> {
  const secrets = await listed(cluster, '/api/v1/secrets', secretSchema, 'owner=helm');
  return secrets.map(({ metadata, data }) => {
    const packed = Buffer.from(Buffer.from(data['release'] ?? '', 'base64').toString(), 'base64');
    return { name: metadata.name, text: gunzipSync(packed).toString() };
  });
}

async function listed<T>(
  cluster: KubernetesClient,
  path: string,
  schema: z.ZodType<T>,
  labelSelector?: string,
): Promise<T[]> {
  const list = await cluster.list(path.replace('?', ''), labelSelector === undefined ? {} : { labelSelector });
  return list.items.map((item) => schema.parse(item));
}
