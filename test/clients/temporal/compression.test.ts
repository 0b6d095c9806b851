import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { describe, test } from 'node:test';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { compress, decompress } from '../../../src/clients/temporal/compression.ts';
import { historyCodec } from '../../../src/clients/temporal/encryption/index.ts';
import { completedAs } from '../../../src/plan/steps/complete.ts';
import { planOf } from '../../support/plans.ts';

/** Temporal's limit for one payload. */
const MOST_BYTES = 2 * 1024 * 1024;

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const encodingOf = ({ metadata }: Payload): string => Buffer.from(metadata?.['encoding'] ?? []).toString();

/** Every service waits for two of the layer before. */
function wide(count: number, layers: number): ReturnType<typeof planOf> {
  const nameOf = (layer: number, place: number): string => `layer-${layer}-${place}`;
  return planOf(
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => {
        const [layer, place] = [index % layers, Math.floor(index / layers)];
        const dependsOn = layer === 0 ? [] : [nameOf(layer - 1, place), nameOf(layer - 1, Math.max(place - 1, 0))];
        return [nameOf(layer, place), { phase: layer + 1, dependsOn }];
      }),
    ),
  );
}

describe('large payloads', () => {
  test('small ones stay as they are, to be read in the Temporal UI', async () => {
    const small = payloadOf({ text: 'a'.repeat(100_000) });
    assert.equal(await compress(small), small);
    assert.equal(await decompress(small), small);
  });

  test('large ones are compressed, and are the same again', async () => {
    const large = payloadOf({ text: 'a'.repeat(200_000) });
    const packed = await compress(large);
    assert.equal(encodingOf(packed), 'binary/gzip');
    assert.ok((packed.data?.length ?? 0) < 10_000);
    const again = await decompress(packed);
    assert.deepEqual(Buffer.from(again.data ?? []), Buffer.from(large.data ?? []));
    assert.equal(encodingOf(again), 'json/plain');
    assert.equal(await compress(packed), packed);
  });

  test('a plan of 5,000 services is taken by the engine', async () => {
    const { codec } = await historyCodec({});
    const plan = payloadOf(completedAs(wide(5000, 10), { verb: 'deploy' }));
    assert.ok((plan.data?.length ?? 0) > MOST_BYTES, 'it has to be compressed');
    const [packed] = await codec.encode([plan]);
    assert.ok((packed?.data?.length ?? MOST_BYTES) < MOST_BYTES / 4, `${packed?.data?.length ?? 0} bytes`);
    const [again] = await codec.decode([packed as Payload]);
    assert.equal(Buffer.compare(Buffer.from(again?.data ?? []), Buffer.from(plan.data ?? [])), 0);
  });

  test('what is damaged is an error, not half a plan', async () => {
    const whole = gzipSync(Buffer.alloc(1000));
    const packed = { metadata: { encoding: Buffer.from('binary/gzip') }, data: whole.subarray(0, 20) };
    await assert.rejects(decompress(packed), /unexpected end of file/);
  });
});
