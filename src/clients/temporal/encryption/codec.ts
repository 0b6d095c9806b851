/**
 * Temporal's PayloadCodec: AES-256-GCM over whole payloads, in the form that Temporal's own samples have (encoding
 * `binary/encrypted`, the key's id in the metadata, a nonce of 12 bytes in front). Plain payloads pass when they are
 * read: older histories, and what somebody sends from the Temporal UI.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { AnantaError, type NextStep } from '../../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../../contract/failures.ts';
import { bytesOf, encodingOf, payloadOf, textOf } from '../wrapped.ts';
import { writingKey } from './ring.ts';
import type { KeySource } from './source.ts';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';

export interface CodecOptions {
  /** Absent: nothing is encrypted, and what is encrypted is named instead of being taken for damage. */
  keys?: KeySource | undefined;
  /** False: what is written is plain. */
  encrypts: boolean;
  environment?: string | undefined;
  /** How long a key that is not there yet is waited for: files of several machines are not exchanged at once. */
  patienceMilliseconds?: number;
  /** Called with each payload that nobody here can open, before the error is thrown. */
  onUnreadable?: (error: UnreadableHistoryError) => void;
}

/** Encrypted for somebody who has another key. */
export class UnreadableHistoryError extends AnantaError {
  override name = 'UnreadableHistoryError';
  override readonly type = FAILURES.historyKeyMissing;
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[];
  readonly keyId: string;
  constructor(keyId: string, { keys, environment }: Pick<CodecOptions, 'keys' | 'environment'>, cause?: unknown) {
    const own = keys?.current().keys.map(({ id }) => id) ?? [];
    const whose = environment === undefined ? 'here' : `of environment "${environment}" here`;
    super(
      cause !== undefined
        ? `A history on the engine says that it is encrypted with key ${keyId}, and the key of that name ${whose} does not open it: it is another key, or the history was changed`
        : own.length === 0
          ? `A history on the engine is encrypted with key ${keyId}, and there are no keys ${whose}: the environment's file says nothing of encryption`
          : `A history on the engine is encrypted with key ${keyId}, which is not among the keys ${whose} (${own.join(', ')}): it is lost, of another environment, or not brought here yet`,
      { cause },
    );
    this.keyId = keyId;
    this.next = ['Bring the file with that key here (docs/look-up/encryption.md, "A key is lost").'];
  }
}

export function createCodec(options: CodecOptions): PayloadCodec {
  const { keys, encrypts, patienceMilliseconds = 0 } = options;
  const decode = async (payload: Payload): Promise<Payload> => {
    const keyId = keyIdOf(payload);
    if (keyId === undefined) return payload;
    const key = await keyWhenThere(keyId);
    if (key === undefined) throw told(new UnreadableHistoryError(keyId, options));
    try {
      return decrypt(payload.data ?? new Uint8Array(), key);
    } catch (error) {
      throw told(new UnreadableHistoryError(keyId, options, error));
    }
  };
  const told = (error: UnreadableHistoryError): UnreadableHistoryError => {
    options.onUnreadable?.(error);
    return error;
  };
  const keyWhenThere = async (keyId: string): Promise<Buffer | undefined> => {
    for (const until = Date.now() + patienceMilliseconds; ; ) {
      const found = keys?.current().keys.find(({ id }) => id === keyId);
      if (found) return Buffer.from(found.key, 'base64');
      if (keys === undefined) return undefined;
      await keys.refresh();
      if (keys.current().keys.some(({ id }) => id === keyId)) continue;
      if (Date.now() >= until) return undefined;
      await sleep(500);
    }
  };
  return {
    encode: async (payloads) => {
      if (keys === undefined || !encrypts) return payloads;
      await keys.refresh('writing');
      const { id, key } = writingKey(keys.current(), Date.now());
      const secret = Buffer.from(key, 'base64');
      // What came in encrypted, as from the UI by the codec server, is not encrypted again.
      return payloads.map((payload) => (keyIdOf(payload) === undefined ? encrypt(payload, id, secret) : payload));
    },
    decode: (payloads) => Promise.all(payloads.map(decode)),
  };
}

/** @returns with which key a payload is encrypted; undefined: it is plain */
export function keyIdOf(payload: Pick<Payload, 'metadata'>): string | undefined {
  if (encodingOf(payload) !== ENCODING) return undefined;
  return textOf(payload.metadata?.[KEY_ID]) ?? 'without a name';
}

function encrypt(payload: Payload, keyId: string, key: Buffer): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  const sealed = [cipher.update(bytesOf(payload)), cipher.final()];
  return {
    metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(keyId) },
    data: Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]),
  };
}

function decrypt(data: Uint8Array, key: Buffer): Payload {
  const decipher = createDecipheriv(ALGORITHM, key, data.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(data.subarray(-TAG_BYTES));
  const opened = decipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES));
  return payloadOf(Buffer.concat([opened, decipher.final()]));
}
