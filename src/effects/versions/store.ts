/** Platform versions in the cluster: one immutable ConfigMap each, without secrets. */
import { z } from 'zod';
import {
  type KubernetesClient,
  KubernetesError,
  type KubernetesObject,
  paths,
} from '../../clients/kubernetes/index.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, OWNER_LABEL, RECORDS_NAMESPACE, RELEASE_LABELS } from '../../contract/names.ts';
import { type PlatformVersion, platformVersionSchema } from '../../contract/version.ts';
import { ensureRecordsNamespace } from '../records/namespace.ts';

type Store = Pick<KubernetesClient, 'get' | 'list' | 'apply' | 'create' | 'remove'>;

/** What is known of a version without reading it. */
export interface VersionEntry {
  version: number;
  runId: string | undefined;
  name: string;
}

/** Of each version, with its number. */
export const VERSION_LABEL = 'ananta-version';
const dataSchema = z.object({ data: z.object({ version: z.string() }) });
/** Two at once is rare, and each attempt looks anew. */
const ATTEMPTS = 10;

/** Of one environment, the newest first; what they hold is not read. */
export async function listVersions(
  kubernetes: Pick<KubernetesClient, 'list'>,
  environment: string,
  signal?: AbortSignal,
): Promise<VersionEntry[]> {
  const { items } = await kubernetes.list(
    paths.configMaps(RECORDS_NAMESPACE),
    { labelSelector: selector(environment), metadataOnly: true },
    signal,
  );
  return items
    .filter((item) => isOf(item, environment))
    .map(({ metadata }) => ({
      version: Number(metadata.labels?.[VERSION_LABEL]),
      runId: metadata.labels?.[RELEASE_LABELS.run],
      name: metadata.name,
    }))
    .sort((a, b) => b.version - a.version);
}

/** All of an environment, the newest first. @throws Error that names a damaged one */
export async function readVersions(
  kubernetes: Pick<KubernetesClient, 'list'>,
  environment: string,
  signal?: AbortSignal,
): Promise<PlatformVersion[]> {
  const { items } = await kubernetes.list(
    paths.configMaps(RECORDS_NAMESPACE),
    { labelSelector: selector(environment) },
    signal,
  );
  return items
    .filter((item) => isOf(item, environment))
    .map(parse)
    .sort((a, b) => b.version - a.version);
}

/** @returns undefined when there is no such version */
export async function readVersion(
  kubernetes: Pick<KubernetesClient, 'get'>,
  environment: string,
  version: number,
  signal?: AbortSignal,
): Promise<PlatformVersion | undefined> {
  const found = await kubernetes.get(paths.configMap(RECORDS_NAMESPACE, nameOf(environment, version)), signal);
  return found === undefined ? undefined : parse(found);
}

/**
 * Keeps it under the next free number, above all that were ever kept as long as the newest is there.
 * @returns the number
 */
export async function createVersion(
  kubernetes: Store,
  content: Omit<PlatformVersion, 'version'>,
  signal?: AbortSignal,
): Promise<number> {
  await ensureRecordsNamespace(kubernetes, signal);
  for (let attempt = 1; ; attempt += 1) {
    const [newest] = await listVersions(kubernetes, content.environment, signal);
    const version = (newest?.version ?? 0) + 1;
    try {
      await kubernetes.create(paths.configMaps(RECORDS_NAMESPACE), asConfigMap({ ...content, version }), signal);
      return version;
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.reason !== 'AlreadyExists' || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** Removes the oldest ones. The newest always stays. @returns the entries that are left, the newest first */
export async function keepNewest(
  kubernetes: Store,
  environment: string,
  keep: number,
  signal?: AbortSignal,
): Promise<VersionEntry[]> {
  const entries = await listVersions(kubernetes, environment, signal);
  await Promise.all(
    entries
      .slice(Math.max(1, keep))
      .map(({ name }) => kubernetes.remove(paths.configMap(RECORDS_NAMESPACE, name), {}, signal)),
  );
  return entries.slice(0, Math.max(1, keep));
}

function asConfigMap(version: PlatformVersion): unknown {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    immutable: true,
    metadata: {
      name: nameOf(version.environment, version.version),
      namespace: RECORDS_NAMESPACE,
      labels: {
        [MANAGED_BY_LABEL]: MANAGED_BY,
        [OWNER_LABEL]: version.environment,
        [RELEASE_LABELS.environment]: version.environment,
        [VERSION_LABEL]: String(version.version),
        [RELEASE_LABELS.run]: version.runId,
      },
    },
    data: { version: JSON.stringify(version) },
  };
}

function nameOf(environment: string, version: number): string {
  return `version-${environment}-${version}`;
}

function selector(environment: string): string {
  return `${RELEASE_LABELS.environment}=${environment},${VERSION_LABEL}`;
}

function isOf({ metadata: { labels } }: KubernetesObject, environment: string): boolean {
  return labels?.[RELEASE_LABELS.environment] === environment && /^[1-9]\d*$/.test(labels[VERSION_LABEL] ?? '');
}

function parse(object: KubernetesObject): PlatformVersion {
  try {
    return platformVersionSchema.parse(JSON.parse(dataSchema.parse(object).data.version));
  } catch (error) {
    throw new Error(
      `ConfigMap ${RECORDS_NAMESPACE}/${object.metadata.name} does not hold a platform version: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
