/** One bucket: an object is written whole, a broken connection is retried, and an error message holds no key. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { type Bucket, type BucketConnection, BucketError, openBucket } from '../../../src/clients/s3/index.ts';
import { addressOf } from '../../../src/clients/s3/client.ts';
import { type FakeS3, fakeS3 } from '../../support/fakes/s3.ts';

async function withStore(
  work: (bucket: Bucket, store: FakeS3, open: (more: Partial<BucketConnection>) => Bucket) => Promise<void>,
): Promise<void> {
  const store = await fakeS3();
  const { endpoint, bucket, accessKey, secretKey } = store;
  const open = (more: Partial<BucketConnection>): Bucket =>
    openBucket({ endpoint, region: 'eu-central-1', bucket, pathStyle: true, accessKey, secretKey, ...more }, 1);
  try {
    await work(open({}), store, open);
  } finally {
    await store.close();
  }
}

const MIB = 1024 * 1024;
/** In chunks as they come from a cipher. */
const stream = (content: Buffer): Readable =>
  Readable.from(
    (function* () {
      for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
    })(),
  );

describe('a bucket', () => {
  test('small and large content, empty content, read back as it was; encryption is asked for', async () => {
    await withStore(async (_bucket, store, open) => {
      const bucket = open({ encryption: { algorithm: 'AES256' } });
      for (const [key, size] of [
        ['a/none', 0],
        ['a/small', 1000],
        ['a/exact', 16 * MIB],
        ['a/large name (1)', 40 * MIB + 7],
      ] as const) {
        const content = randomBytes(size);
        assert.equal(await bucket.upload(key, stream(content)), size);
        assert.equal(await bucket.size(key), size);
        assert.ok((await buffer(await bucket.read(key))).equals(content), key);
        assert.equal(store.objects.get(key)?.encryption, 'AES256', key);
      }
      assert.deepEqual(store.uploads.size, 0);
      await bucket.upload('ab', stream(Buffer.from('x')));
      const listed = await bucket.list('a/');
      assert.deepEqual(
        listed.map(({ key, bytes }) => [key, bytes]),
        [
          ['a/exact', 16 * MIB],
          ['a/large name (1)', 40 * MIB + 7],
          ['a/none', 0],
          ['a/small', 1000],
        ],
      );
      await bucket.remove('a/small');
      assert.equal(await bucket.size('a/small'), undefined);
      await assert.rejects(bucket.read('a/small'), { code: 'ENOENT' });
    });
  });

  test('a store that is away for a moment is asked again; an end whose answer was lost is found to be one', async () => {
    await withStore(async (bucket, store) => {
      const content = randomBytes(20 * MIB);
      store.fail('PUT', 'cut');
      store.fail('PUT', { status: 503, code: 'SlowDown' });
      store.fail('POST', 'cut');
      await bucket.upload('k', stream(content));
      assert.ok(store.objects.get('k')!.content.equals(content));
      const begin = openedThenLost(store);
      await bucket.upload('again', begin(content));
      assert.ok(store.objects.get('again')!.content.equals(content));
    });
  });

  /** The store ends the upload, and its answer does not arrive. */
  function openedThenLost(store: FakeS3): (content: Buffer) => Readable {
    return (content) =>
      Readable.from(
        (async function* () {
          yield* stream(content) as AsyncIterable<Buffer>;
          store.fail('POST', 'cut', true);
        })(),
      );
  }

  test('content that is read for longer than an answer may take comes to its end', async (context) => {
    await withStore(async (bucket, store) => {
      const content = randomBytes(40 * MIB);
      store.objects.set('k', { content, modified: new Date(), encryption: undefined });
      context.mock.timers.enable({ apis: ['setTimeout'] });
      const chunks: Buffer[] = [];
      for await (const chunk of await bucket.read('k')) {
        if (chunks.length === 0) context.mock.timers.tick(3_600_000);
        chunks.push(chunk as Buffer);
      }
      assert.ok(Buffer.concat(chunks).equals(content));
      context.mock.timers.reset();
    });
  });

  test('a list, or content, whose answer breaks off is a store that cannot be reached, in words', async () => {
    await withStore(async (bucket, store) => {
      store.objects.set('k', { content: randomBytes(MIB), modified: new Date(), encryption: undefined });
      const away = { name: 'BucketError', type: 'Unreachable', message: /GET s3:.* cannot be reached/ };
      store.fail('GET', 'cut', true);
      await assert.rejects(bucket.list(''), away);
      store.fail('GET', 'cut', true);
      await assert.rejects(async () => buffer(await bucket.read('k')), away);
      assert.equal((await bucket.list('')).length, 1);
    });
  });

  test('content that breaks off leaves neither an object nor an upload', async () => {
    await withStore(async (bucket, store) => {
      const breaking = Readable.from(
        (async function* () {
          yield randomBytes(40 * MIB);
          await Promise.resolve();
          throw new Error('pg_dump ended with 1');
        })(),
      );
      await assert.rejects(bucket.upload('k', breaking), /pg_dump ended with 1/);
      assert.deepEqual([store.objects.size, store.uploads.size], [0, 0]);
    });
  });

  test('what is refused is said with its remedy, is not tried again, and holds no key', async () => {
    await withStore(async (bucket, store, open) => {
      const put = (one: Bucket): Promise<number> => one.upload('k', stream(Buffer.from('x')));
      const refused = async (one: Bucket, type: string, message: RegExp): Promise<void> => {
        await assert.rejects(put(one), (error: BucketError) => {
          assert.ok(error instanceof BucketError);
          assert.equal(error.type, type);
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /a-secret-key|Signature=|some-other/);
          return true;
        });
      };
      await refused(
        open({ secretKey: 'some-other-key' }),
        'Forbidden',
        /PUT s3:\/\/backups\/k at http.*SignatureDoesNotMatch/,
      );
      await refused(open({ accessKey: 'AKIAOTHER' }), 'Forbidden', /The access key is not known there/);
      await refused(open({ bucket: 'missing' }), 'InvalidInput', /404 NoSuchBucket fake\. Make the bucket first/);
      store.fail('PUT', { status: 301 });
      await refused(bucket, 'InvalidInput', /the bucket is elsewhere .* says eu-central-1/);
      for (let count = 0; count < 5; count += 1) store.fail('PUT', { status: 500, code: 'InternalError' });
      await refused(bucket, 'Unreachable', /500 InternalError/);
      await put(bucket);
      await store.close();
      await refused(bucket, 'Unreachable', /the store at http.* cannot be reached: ECONNREFUSED/);
    });
  });

  test('uploads that were left are found and abandoned', async () => {
    await withStore(async (bucket, store) => {
      store.uploads.set('left', { key: 'p/x', parts: new Map(), began: new Date(0), encryption: undefined });
      store.uploads.set('other', { key: 'q/x', parts: new Map(), began: new Date(0), encryption: undefined });
      assert.deepEqual(await bucket.unfinished('p/'), [{ key: 'p/x', id: 'left', began: 0 }]);
      await bucket.abandon({ key: 'p/x', id: 'left' });
      assert.deepEqual([...store.uploads.keys()], ['other']);
    });
  });

  test('its address: below the endpoint, or a host of its own', () => {
    const at = (pathStyle: boolean, endpoint: string): string =>
      addressOf({ endpoint, pathStyle, bucket: 'b.c', region: 'r', accessKey: '', secretKey: '' }, 'p/a b+c', {
        x: '',
      });
    assert.equal(at(true, 'https://minio:9000'), 'https://minio:9000/b.c/p/a%20b%2Bc?x=');
    assert.equal(at(true, 'https://host/s3/'), 'https://host/s3/b.c/p/a%20b%2Bc?x=');
    assert.equal(at(false, 'https://s3.eu.amazonaws.com'), 'https://b.c.s3.eu.amazonaws.com/p/a%20b%2Bc?x=');
  });
});
