/**
 * The audit trail in the cluster, where it outlives the worker's pod: one immutable ConfigMap per operation beside the
 * platform versions. None is ever changed; the oldest go when there are too many.
 */
import { z } from 'zod';
import { type KubernetesClient, KubernetesError, paths } from '../../clients/kubernetes/index.ts';
import { type AuditRecord, auditRecordSchema } from '../../contract/audit.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, RECORDS_NAMESPACE, RELEASE_LABELS } from '../../contract/names.ts';
import { readOwner } from '../owner/record.ts';

/** Of an environment: about 0.5 kB each. */
export const AUDIT_RECORDS_KEPT = 500;
const AUDIT_LABEL = 'ananta-audit';
const dataSchema = z.object({ data: z.object({ record: z.string() }) });

/** Kept only where the owner record names the record's environment. A second record of the same run changes nothing. */
export async function keepAuditRecord(
  kubernetes: Pick<KubernetesClient, 'get' | 'list' | 'create' | 'remove'>,
  record: AuditRecord,
  { kept = AUDIT_RECORDS_KEPT, signal }: { kept?: number; signal?: AbortSignal } = {},
): Promise<void> {
  // Not on a cluster of somebody else, nor of nobody: an operation that was refused there has touched nothing, and one
  // that has just given the cluster back leaves nothing.
  if ((await readOwner(kubernetes, signal))?.owner?.environment !== record.environment) return;
  try {
    await kubernetes.create(paths.configMaps(RECORDS_NAMESPACE), asConfigMap(record), signal);
  } catch (error) {
    if (!(error instanceof KubernetesError) || error.reason !== 'AlreadyExists') throw error;
  }
  await removeOldest(kubernetes, record.environment, kept, signal);
}

/** Of one environment, the newest first; one that is damaged is left out. */
export async function readAuditRecords(
  kubernetes: Pick<KubernetesClient, 'list'>,
  environment: string,
  signal?: AbortSignal,
): Promise<AuditRecord[]> {
  const { items } = await kubernetes.list(
    paths.configMaps(RECORDS_NAMESPACE),
    { labelSelector: selector(environment) },
    signal,
  );
  return items
    .filter(({ metadata: { labels } }) => labels?.[AUDIT_LABEL] !== undefined)
    .flatMap((item) => {
      const parsed = dataSchema.safeParse(item);
      const record = parsed.success ? auditRecordSchema.safeParse(tryJson(parsed.data.data.record)) : undefined;
      return record?.success && record.data.environment === environment ? [record.data] : [];
    })
    .sort((a, b) => b.at.localeCompare(a.at));
}

/** An identity that may delete nothing leaves it to one that may. */
async function removeOldest(
  kubernetes: Pick<KubernetesClient, 'list' | 'remove'>,
  environment: string,
  kept: number,
  signal?: AbortSignal,
): Promise<void> {
  const { items } = await kubernetes.list(
    paths.configMaps(RECORDS_NAMESPACE),
    { labelSelector: selector(environment), metadataOnly: true },
    signal,
  );
  const old = items
    .filter(({ metadata: { labels } }) => labels?.[AUDIT_LABEL] !== undefined)
    .sort((a, b) => (b.metadata.labels?.[AUDIT_LABEL] ?? '').localeCompare(a.metadata.labels?.[AUDIT_LABEL] ?? ''))
    .slice(kept);
  await Promise.all(
    old.map(async ({ metadata: { name, uid } }) => {
      try {
        await kubernetes.remove(paths.configMap(RECORDS_NAMESPACE, name), { uid }, signal);
      } catch (error) {
        if (!(error instanceof KubernetesError) || error.status !== 403) throw error;
      }
    }),
  );
}

function asConfigMap(record: AuditRecord): unknown {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    immutable: true,
    metadata: {
      name: `audit-${record.environment}-${record.runId}`,
      namespace: RECORDS_NAMESPACE,
      labels: {
        [MANAGED_BY_LABEL]: MANAGED_BY,
        [RELEASE_LABELS.environment]: record.environment,
        [RELEASE_LABELS.run]: record.runId,
        // Sorts by time, without reading what it holds.
        [AUDIT_LABEL]: record.at.replaceAll(/[:.]/g, '-'),
      },
    },
    data: { record: JSON.stringify(record) },
  };
}

function selector(environment: string): string {
  return `${RELEASE_LABELS.environment}=${environment},${AUDIT_LABEL}`;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
