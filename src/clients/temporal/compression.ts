/**
 * Large payloads are compressed before the engine gets them: a plan of thousands of services is larger than the 2 MiB
 * that Temporal takes, and compresses to a tenth. Smaller ones stay as they are, readable in the Temporal UI. Encoded
 * as encrypted payloads are: the whole payload, in a payload that says how.
 */
import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import type { Payload } from '@temporalio/common';
import { bytesOf, encodingOf, payloadOf } from './wrapped.ts';

const ENCODING = 'binary/gzip';
/** Of data in a payload. A workflow starts all its phases in one answer, of which the engine takes 4 MiB. */
const COMPRESSED_FROM_BYTES = 128 * 1024;
/** No payload of ours comes near; what is larger was not written by a deployer. */
const MOST_BYTES = 256 * 1024 * 1024;
const [compressed, decompressed] = [promisify(gzip), promisify(gunzip)];

/** @returns the same payload where it is small, or would not become smaller */
export async function compress(payload: Payload): Promise<Payload> {
  const bytes = payload.data?.length ?? 0;
  if (bytes < COMPRESSED_FROM_BYTES || isCompressed(payload)) return payload;
  const data = await compressed(bytesOf(payload), { level: constants.Z_BEST_SPEED });
  return data.length < bytes ? { metadata: { encoding: Buffer.from(ENCODING) }, data } : payload;
}

/**
 * @returns the same payload where it is not compressed
 * @throws Error of zlib for what is damaged, or larger than any payload of ours
 */
export async function decompress(payload: Payload): Promise<Payload> {
  if (!isCompressed(payload)) return payload;
  return payloadOf(await decompressed(payload.data ?? new Uint8Array(), { maxOutputLength: MOST_BYTES }));
}

function isCompressed(payload: Payload): boolean {
  return encodingOf(payload) === ENCODING;
}
