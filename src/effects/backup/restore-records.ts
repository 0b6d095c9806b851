/** Records of a backup put back into `ananta-system`, one by one; what was put back already is left alone. */
import type { Clients } from '../../clients/index.ts';
import { KubernetesError, paths } from '../../clients/kubernetes/index.ts';
import type { KeptObject } from '../../contract/backup.ts';
import { type DriftState, driftStateSchema } from '../../contract/drift-state.ts';
import { RECORDS_NAMESPACE } from '../../contract/names.ts';
import type { RecordStep } from '../../plan/backup/restore.ts';
import { tryJson } from '../../try-json.ts';
import { updateDriftState } from '../drift/state.ts';
import { ensureRecordsNamespace } from '../records/namespace.ts';
import type { FoundRecord } from './records.ts';

/**
 * @param found as it was planned: a record that is another one by now is not touched
 * @returns names of what was written
 * @throws KubernetesError 409 when somebody was faster: plan again
 */
export async function restoreRecords(
  { kubernetes, environment }: Pick<Clients, 'kubernetes' | 'environment'>,
  steps: readonly RecordStep[],
  records: readonly KeptObject[],
  found: readonly FoundRecord[],
  signal?: AbortSignal,
): Promise<string[]> {
  const byName = new Map(records.map((record) => [record.metadata.name, record]));
  const written: string[] = [];
  if (steps.some(({ action }) => action === 'create')) await ensureRecordsNamespace(kubernetes, signal);
  for (const { name, action } of ordered(steps)) {
    const record = byName.get(name);
    if (record === undefined || action === 'keep' || action === 'leave') continue;
    if (action === 'merge') await takeOverState(kubernetes, environment.name, record, signal);
    else {
      const now = found.find(({ object }) => object.metadata.name === name);
      if (action === 'replace' && now !== undefined)
        await kubernetes.remove(paths.configMap(RECORDS_NAMESPACE, name), { uid: now.uid }, signal);
      await createOnce(kubernetes, record, signal);
    }
    written.push(name);
  }
  return written;
}

/** Whose cluster it is comes last: until then it is nobody's, and no operation begins in the middle. */
function ordered(steps: readonly RecordStep[]): RecordStep[] {
  return [...steps].sort((a, b) => Number(a.kind === 'owner') - Number(b.kind === 'owner'));
}

async function createOnce(
  kubernetes: Pick<Clients['kubernetes'], 'create'>,
  record: KeptObject,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await kubernetes.create(paths.configMaps(RECORDS_NAMESPACE), record, signal);
  } catch (error) {
    if (!(error instanceof KubernetesError) || error.reason !== 'AlreadyExists') throw error;
    throw new KubernetesError(
      `create ConfigMap ${RECORDS_NAMESPACE}/${record.metadata.name}`,
      409,
      'Conflict',
      'it was written by somebody else meanwhile: run the same command again',
    );
  }
}

function takeOverState(
  kubernetes: Parameters<typeof updateDriftState>[0],
  environment: string,
  record: KeptObject,
  signal?: AbortSignal,
): Promise<DriftState> {
  const kept = driftStateSchema.parse(tryJson(record.data['state.json'] ?? '') ?? {});
  return updateDriftState(
    kubernetes,
    environment,
    (now) => (now.acceptances.length === 0 ? { ...now, acceptances: kept.acceptances } : now),
    signal,
  );
}
