/**
 * How this process writes and reads what the engine keeps: large payloads compressed, encrypted where its environment
 * says so.
 */
import type { Payload, PayloadCodec } from '@temporalio/common';
import type { Connections } from '../../../environment/connections.ts';
import { compress, decompress } from '../compression.ts';
import { type CodecOptions, createCodec } from './codec.ts';
import { type KeySource, openKeySource } from './source.ts';

export interface HistoryCodec {
  /** Undefined where the environment's file says nothing of encryption. */
  keys: KeySource | undefined;
  codec: PayloadCodec;
}

/**
 * @throws EngineAccessError where the environment is encrypted, and its keys cannot be had
 */
export async function historyCodec(
  { encryption }: Pick<Connections['engine'], 'encryption'>,
  options: Pick<CodecOptions, 'patienceMilliseconds' | 'onUnreadable'> = {},
): Promise<HistoryCodec> {
  const keys = encryption && (await openKeySource(encryption));
  const encrypting = createCodec({
    keys,
    encrypts: encryption?.mode === 'encrypt',
    environment: encryption?.environment,
    ...options,
  });
  return {
    keys,
    codec: {
      encode: async (payloads) => encrypting.encode(await each(payloads, compress)),
      decode: async (payloads) => each(await encrypting.decode(payloads), decompress),
    },
  };
}

function each(payloads: Payload[], change: (payload: Payload) => Promise<Payload>): Promise<Payload[]> {
  return Promise.all(payloads.map(change));
}
