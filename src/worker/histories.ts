/** Encrypted histories on the worker's side: its codec, and what it does with payloads that it cannot decrypt. */
import type { PayloadCodec } from '@temporalio/common';
import { HistoryKeysError } from '../clients/temporal/errors.ts';
import type { UnreadableHistoryError } from '../clients/temporal/encryption/codec.ts';
import { historyCodec } from '../clients/temporal/encryption/index.ts';
import { agreeOnKeys, readKeyRecord, refuseDifferences } from '../clients/temporal/encryption/record.ts';
import type { Connections } from '../environment/connections.ts';
import type { EngineLink } from './engine-link.ts';

/** Files of several machines are not exchanged at once. Shorter than the 10 s that a workflow task may take. */
const PATIENCE_MILLISECONDS = 6000;

export interface WorkerHistories {
  codec: PayloadCodec;
  /** @throws HistoryKeysError where the worker has stopped because of its keys */
  throwIfUnfit: () => void;
}

export interface HistoriesOptions {
  say: (text: string) => void;
  stop: () => void;
  /** How long a key that is not here yet is waited for. */
  patienceMilliseconds?: number;
}

/**
 * A worker without the right keys takes no work: every task would fail, and others could not decrypt what it writes.
 * The tasks that it had are carried out by other workers, or wait for one that has the keys; the lock is kept
 * meanwhile.
 * @param link its client is exchanged for another one when certificates are
 * @param stop called once, when other keys are needed than this worker has
 * @throws HistoryKeysError where that is so from the beginning
 */
export async function openHistories(
  environment: string,
  engine: Pick<Connections['engine'], 'encryption'>,
  link: Pick<EngineLink, 'client'>,
  { say, stop, patienceMilliseconds = PATIENCE_MILLISECONDS }: HistoriesOptions,
): Promise<WorkerHistories> {
  let problem: HistoryKeysError | undefined;
  const told = new Set<string>();
  const look = async ({ keyId, message }: UnreadableHistoryError): Promise<void> => {
    try {
      refuseDifferences(await readKeyRecord(link.client, environment), keys?.current());
      // This worker has all keys of the environment: the sender used one of its own.
      if (!told.has(keyId)) say(`${message}; what needs it waits`);
      told.add(keyId);
    } catch (error) {
      if (!(error instanceof HistoryKeysError) || problem !== undefined) return;
      problem = error;
      say(`This worker stops: ${error.message}`);
      stop();
    }
  };
  const { keys, codec } = await historyCodec(engine, {
    patienceMilliseconds,
    onUnreadable: (error) => void look(error),
  });
  await agreeOnKeys(link.client, environment, keys?.current());
  return {
    codec,
    throwIfUnfit: () => {
      if (problem !== undefined) throw problem;
    },
  };
}
