/**
 * The audit trail in the cluster, where it outlives the worker's pod: one immutable ConfigMap per operation beside the
 * platform versions. None is ever changed; the oldest go when there are too many.
 */
import type { KubernetesClient } from '../../clients/kubernetes/index.ts';
import { type AuditRecord, auditRecordSchema } from '../../contract/audit.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, RECORDS_NAMESPACE, RELEASE_LABELS } from '../../contract/names.ts';
import { readOwner } from '../owner/record.ts';
import { keepRecord, listRecords, readRecords, type RecordKind, removeRecords, timeLabel } from './store.ts';

/** Of an environment: about 0.5 kB each. */
export const AUDIT_RECORDS_KEPT = 500;
/** Of each record, with its time. */
export const AUDIT_LABEL = 'ananta-audit';
const AUDIT: RecordKind<AuditRecord> = { label: AUDIT_LABEL, key: 'record', schema: auditRecordSchema };

/** Kept only where the owner record names the record's environment. A second record of the same run changes nothing. */
export async function keepAuditRecord(
  kubernetes: Pick<KubernetesClient, 'get' | 'list' | 'create' | 'remove'>,
  record: AuditRecord,
  { kept = AUDIT_RECORDS_KEPT, signal }: { kept?: number; signal?: AbortSignal } = {},
): Promise<void> {
  // Not on a cluster of somebody else, nor of nobody: an operation that was refused there has touched nothing, and one
  // that has just given the cluster back leaves nothing.
  if ((await readOwner(kubernetes, signal))?.owner?.environment !== record.environment) return;
  await keepRecord(kubernetes, asConfigMap(record), signal);
  const all = await listRecords(kubernetes, AUDIT, record.environment, signal);
  await removeRecords(kubernetes, all.slice(kept), signal);
}

/** Of one environment, the newest first; one that is damaged is left out. */
export async function readAuditRecords(
  kubernetes: Pick<KubernetesClient, 'list'>,
  environment: string,
  signal?: AbortSignal,
): Promise<AuditRecord[]> {
  return (await readRecords(kubernetes, AUDIT, environment, signal)).map(({ record }) => record);
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
        [AUDIT.label]: timeLabel(record.at),
      },
    },
    data: { [AUDIT.key]: JSON.stringify(record) },
  };
}
