/**
 * Attempts to write a checkpoint, on record before the first byte: a file whose attempt was killed before it was on
 * record is found by them, and by nothing else. They are part of no backup, so that a file that has become a checkpoint
 * meanwhile is never taken for one that has not.
 */
import { type KubernetesClient, paths } from '../../clients/kubernetes/index.ts';
import { type CheckpointAttempt, checkpointAttemptSchema } from '../../contract/checkpoint.ts';
import { RECORDS_NAMESPACE } from '../../contract/names.ts';
import { ensureRecordsNamespace } from '../records/namespace.ts';
import { keepRecord, readRecords, type RecordKind } from '../records/store.ts';
import { configMapOf } from './record.ts';

const ATTEMPT: RecordKind<CheckpointAttempt> = {
  label: 'ananta-checkpoint-attempt',
  key: 'attempt',
  schema: checkpointAttemptSchema,
};

/** @param id of the attempt alone @returns name of its record */
export async function beginAttempt(
  kubernetes: Pick<KubernetesClient, 'get' | 'apply' | 'create'>,
  id: string,
  attempt: CheckpointAttempt,
  signal?: AbortSignal,
): Promise<string> {
  const name = `checkpoint-attempt-${attempt.environment}-${id}`;
  await ensureRecordsNamespace(kubernetes, signal);
  await keepRecord(kubernetes, configMapOf(ATTEMPT, name, attempt), signal);
  return name;
}

/** Its file is on record, or is gone. */
export async function endAttempt(
  kubernetes: Pick<KubernetesClient, 'remove'>,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  // One that stays is found to be a checkpoint's by whoever looks at it next.
  await kubernetes.remove(paths.configMap(RECORDS_NAMESPACE, name), {}, signal).catch(() => undefined);
}

/** The newest first. */
export async function readAttempts(
  kubernetes: Pick<KubernetesClient, 'list'>,
  environment: string,
  signal?: AbortSignal,
): Promise<(CheckpointAttempt & { name: string })[]> {
  return (await readRecords(kubernetes, ATTEMPT, environment, signal)).map(({ record, name }) => ({ ...record, name }));
}
