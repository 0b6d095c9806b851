import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clients } from '../../clients/index.ts';
import { ClusterMismatchError, KubernetesError } from '../../clients/kubernetes/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { AuditRecord } from '../../contract/audit.ts';
import { keepAuditRecord } from './audit.ts';

const ATTEMPTS = 5;
const PAUSE_MILLISECONDS = 1000;

/** What commands do by themselves has names of its own. */
type Recorded = Omit<InputOf<'recordResult'>, 'operation'> & { operation: string };

/**
 * Appends one line to the audit trail of this machine, and keeps the same in the cluster, where it outlives the
 * worker's pod. A second attempt of the same run adds nothing.
 */
export async function recordResult(
  clients: Pick<Clients, 'environment' | 'connections' | 'kubernetes'>,
  { run, operation, requestedBy, planDigest, outcome, seconds, acts }: Recorded,
): OutputOf<'recordResult'> {
  const record: AuditRecord = {
    at: new Date().toISOString(),
    environment: run.environment,
    cluster: run.clusterUid,
    operation,
    requestedBy,
    planDigest,
    outcome,
    seconds,
    imageTags: run.imageTags,
    ...(acts === undefined ? {} : { acts }),
    workflowId: run.workflowId,
    runId: run.runId,
  };
  await appendLine(clients.connections.stateDir, record);
  await inCluster(clients, record);
}

async function appendLine(folder: string, record: AuditRecord): Promise<void> {
  const path = join(folder, 'audit.jsonl');
  const known = await readFile(path, 'utf8').catch(() => '');
  if (known.includes(`"runId":${JSON.stringify(record.runId)}`)) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = await open(path, 'a', 0o600);
  try {
    // A line that was cut off by a power failure gets its line break first, so that this one stays whole.
    await file.appendFile(`${known === '' || known.endsWith('\n') ? '' : '\n'}${JSON.stringify(record)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** An operation has ended: its end does not wait for an API server that is away, or for a right that nobody gave. */
async function inCluster({ kubernetes }: Pick<Clients, 'kubernetes'>, record: AuditRecord): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      await kubernetes.assertCluster({ uid: record.cluster });
      await keepAuditRecord(kubernetes, record);
      return;
    } catch (error) {
      if (error instanceof ClusterMismatchError) return;
      if (error instanceof KubernetesError && error.status === 403) return;
    }
    if (attempt < ATTEMPTS) await sleep(PAUSE_MILLISECONDS);
  }
}
