/** Work of a command that changes data, in the audit trail as operations are: who, what, how it ended. */
import { randomUUID } from 'node:crypto';
import type { Clients } from '../../clients/index.ts';
import { recordResult } from './result.ts';

export interface RecordedWork {
  environment: string;
  clusterUid: string;
  /** As `audit` shows it. */
  operation: 'restore' | 'checkpoint restore';
  /** Of what is put back. */
  digest: string;
}

/** On record once it has ended, well or not; what could not be recorded changes nothing of its end. */
export async function onRecord<T>(
  clients: Pick<Clients, 'environment' | 'connections' | 'kubernetes' | 'config'>,
  { environment, clusterUid, operation, digest }: RecordedWork,
  work: () => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const note = async (outcome: string): Promise<void> => {
    const id = randomUUID();
    await recordResult(clients, {
      run: {
        environment,
        imageTags: {},
        clusterUid,
        workflowId: `${operation}/${environment}`,
        runId: `by-hand-${id}`,
      },
      operation,
      requestedBy: clients.config.requestedBy,
      planDigest: digest,
      outcome,
      seconds: Math.round((performance.now() - began) / 100) / 10,
    }).catch(() => undefined);
  };
  try {
    const result = await work();
    await note('succeeded');
    return result;
  } catch (error) {
    await note('failed');
    throw error;
  }
}
