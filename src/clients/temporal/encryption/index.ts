/** How this process encrypts and decrypts what the engine keeps, as its environment says. */
import type { PayloadCodec } from '@temporalio/common';
import type { Connections } from '../../../environment/connections.ts';
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
  const codec = createCodec({
    keys,
    encrypts: encryption?.mode === 'encrypt',
    environment: encryption?.environment,
    ...options,
  });
  return { keys, codec };
}
