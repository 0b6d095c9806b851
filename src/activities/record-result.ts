import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clients } from '../clients/index.ts';
import type { Activities } from '../contract/activities.ts';
import { assertEnvironment } from './context.ts';

/** Appends one line to the audit trail; a second attempt of the same run adds nothing. */
export function recordResult(clients: Pick<Clients, 'environment' | 'connections'>): Activities['recordResult'] {
  return async ({ run, operation, requestedBy, planDigest, outcome, seconds }) => {
    assertEnvironment(clients, run);
    const folder = clients.connections.stateDir;
    const path = join(folder, 'audit.jsonl');
    const known = await readFile(path, 'utf8').catch(() => '');
    if (known.includes(`"runId":${JSON.stringify(run.runId)}`)) return;
    const line = JSON.stringify({
      at: new Date().toISOString(),
      environment: run.environment,
      cluster: run.clusterUid,
      operation,
      requestedBy,
      planDigest,
      outcome,
      seconds,
      imageTags: run.imageTags,
      workflowId: run.workflowId,
      runId: run.runId,
    });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(path, 'a', 0o600);
    try {
      // A line that a power cut tore off must not swallow this one.
      await file.appendFile(`${known === '' || known.endsWith('\n') ? '' : '\n'}${line}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  };
}
