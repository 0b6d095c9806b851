/** Records of checkpoints in the cluster: what was kept of which database, where it lies. One a run and database. */
import type { KubernetesClient } from '../../clients/kubernetes/index.ts';
import { type CheckpointRecord, checkpointRecordSchema } from '../../contract/checkpoint.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, OWNER_LABEL, RECORDS_NAMESPACE, RELEASE_LABELS } from '../../contract/names.ts';
import { digestOf } from '../../plan/digest.ts';
import { ensureRecordsNamespace } from '../records/namespace.ts';
import { keepRecord, readRecords, type RecordKind, timeLabel } from '../records/store.ts';

/** Of each record, with its time. */
export const CHECKPOINT_LABEL = 'ananta-checkpoint';
const CHECKPOINT: RecordKind<CheckpointRecord> = {
  label: CHECKPOINT_LABEL,
  key: 'record',
  schema: checkpointRecordSchema,
};

export interface StoredCheckpoint extends CheckpointRecord {
  /** Of the ConfigMap. */
  name: string;
}

/** The newest first. */
export async function readCheckpoints(
  kubernetes: Pick<KubernetesClient, 'list'>,
  environment: string,
  signal?: AbortSignal,
): Promise<StoredCheckpoint[]> {
  return (await readRecords(kubernetes, CHECKPOINT, environment, signal)).map(({ record, name }) => ({
    ...record,
    name,
  }));
}

/** A second record of the same run and database changes nothing. @returns whether it was written */
export async function keepCheckpoint(
  kubernetes: Pick<KubernetesClient, 'get' | 'apply' | 'create'>,
  record: CheckpointRecord,
  signal?: AbortSignal,
): Promise<boolean> {
  await ensureRecordsNamespace(kubernetes, signal);
  return keepRecord(kubernetes, asConfigMap(record), signal);
}

/** Name of the ConfigMap. */
export function checkpointName({
  environment,
  run,
  server,
  database,
}: Pick<CheckpointRecord, 'environment' | 'run' | 'server' | 'database'>): string {
  return `checkpoint-${environment}-${digestOf([run, server, database]).slice(0, 12)}`;
}

function asConfigMap(record: CheckpointRecord): unknown {
  return configMapOf(CHECKPOINT, checkpointName(record), record);
}

/** Immutable ConfigMap for a file in the environment's place for checkpoints. */
export function configMapOf<Content extends { environment: string; at: string }>(
  { label, key }: Pick<RecordKind<Content>, 'label' | 'key'>,
  name: string,
  content: Content,
): unknown {
  const { environment, at } = content;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    immutable: true,
    metadata: {
      name,
      namespace: RECORDS_NAMESPACE,
      labels: {
        [MANAGED_BY_LABEL]: MANAGED_BY,
        [OWNER_LABEL]: environment,
        [RELEASE_LABELS.environment]: environment,
        [label]: timeLabel(at),
      },
    },
    data: { [key]: JSON.stringify(content) },
  };
}
