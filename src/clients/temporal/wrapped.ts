/**
 * A payload within a payload, in the form that Temporal's own samples of codecs have: its encoding says how it lies
 * there.
 */
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';

const { Payload: Wire } = proto.temporal.api.common.v1;

/** The whole payload with its metadata, as it is wrapped. */
export function bytesOf(payload: Payload): Uint8Array {
  return Wire.encode(payload).finish();
}

export function payloadOf(bytes: Uint8Array): Payload {
  return Wire.decode(bytes);
}

/** @returns undefined where a payload says none */
export function encodingOf({ metadata }: Pick<Payload, 'metadata'>): string | undefined {
  return textOf(metadata?.['encoding']);
}

/** Of a value in the metadata of a payload. */
export function textOf(bytes: Uint8Array | null | undefined): string | undefined {
  return bytes === null || bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
