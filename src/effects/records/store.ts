/**
 * Records of an environment, a ConfigMap each beside the platform versions: they outlive worker and engine. Each has a
 * label of its kind, whose value is when it was written.
 */
import { z } from 'zod';
import {
  type KubernetesClient,
  KubernetesError,
  type KubernetesObject,
  paths,
} from '../../clients/kubernetes/index.ts';
import { RECORDS_NAMESPACE, RELEASE_LABELS } from '../../contract/names.ts';
import { tryJson } from '../../try-json.ts';

export interface RecordKind<Content> {
  label: string;
  /** Under which the record lies in the ConfigMap. */
  key: string;
  schema: z.ZodType<Content>;
}

interface Stored<Content> {
  record: Content;
  name: string;
  uid: string;
}

const dataSchema = z.object({ data: z.record(z.string(), z.string()) });

/** Sorts by time, without reading what the record holds. */
export function timeLabel(at: string): string {
  return at.replaceAll(/[:.]/g, '-');
}

export function timeOf(
  { metadata: { labels } }: KubernetesObject,
  { label }: Pick<RecordKind<unknown>, 'label'>,
): string {
  return labels?.[label] ?? '';
}

/** A second one of the same name changes nothing. @param record a ConfigMap @returns whether it was written */
export async function keepRecord(
  kubernetes: Pick<KubernetesClient, 'create'>,
  record: unknown,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    await kubernetes.create(paths.configMaps(RECORDS_NAMESPACE), record, signal);
    return true;
  } catch (error) {
    if (!(error instanceof KubernetesError) || error.reason !== 'AlreadyExists') throw error;
    return false;
  }
}

/** The newest first; of each no more than name, uid and labels. */
export async function listRecords(
  kubernetes: Pick<KubernetesClient, 'list'>,
  kind: RecordKind<unknown>,
  environment: string,
  signal?: AbortSignal,
): Promise<KubernetesObject[]> {
  const items = await list(kubernetes, kind, environment, true, signal);
  return items.sort((a, b) => timeOf(b, kind).localeCompare(timeOf(a, kind)));
}

/** Of one environment, the newest first; one that is damaged is left out. */
export async function readRecords<Content extends { environment: string; at: string }>(
  kubernetes: Pick<KubernetesClient, 'list'>,
  kind: RecordKind<Content>,
  environment: string,
  signal?: AbortSignal,
): Promise<Stored<Content>[]> {
  const items = await list(kubernetes, kind, environment, false, signal);
  return items
    .flatMap((item): Stored<Content>[] => {
      const data = dataSchema.safeParse(item);
      const parsed = data.success ? kind.schema.safeParse(tryJson(data.data.data[kind.key] ?? '')) : undefined;
      const { name, uid } = item.metadata;
      return parsed?.success && parsed.data.environment === environment ? [{ record: parsed.data, name, uid }] : [];
    })
    .sort((a, b) => b.record.at.localeCompare(a.record.at));
}

/** An identity that may delete nothing leaves it to one that may. */
export async function removeRecords(
  kubernetes: Pick<KubernetesClient, 'remove'>,
  items: readonly KubernetesObject[],
  signal?: AbortSignal,
): Promise<void> {
  await Promise.all(
    items.map(async ({ metadata: { name, uid } }) => {
      try {
        await kubernetes.remove(paths.configMap(RECORDS_NAMESPACE, name), { uid }, signal);
      } catch (error) {
        if (!(error instanceof KubernetesError) || error.status !== 403) throw error;
      }
    }),
  );
}

async function list(
  kubernetes: Pick<KubernetesClient, 'list'>,
  kind: RecordKind<unknown>,
  environment: string,
  metadataOnly: boolean,
  signal?: AbortSignal,
): Promise<KubernetesObject[]> {
  const { items } = await kubernetes.list(
    paths.configMaps(RECORDS_NAMESPACE),
    { labelSelector: `${RELEASE_LABELS.environment}=${environment},${kind.label}`, metadataOnly },
    signal,
  );
  return items.filter((item) => item.metadata.labels?.[kind.label] !== undefined);
}
