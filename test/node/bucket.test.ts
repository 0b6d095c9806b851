/** Backups' place on a real MinIO: parts, encryption by the store, sums, pages, refusals, an upload that was left. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { type Bucket, type BucketConnection, openBucket } from '../../src/clients/s3/index.ts';
import { bucketPlace } from '../../src/effects/backup/place/bucket.ts';
import { type Minio, startMinio } from '../support/programs/minio.ts';

const MIB = 1024 * 1024;
let minio: Minio;
before(async () => {
  minio = await startMinio();
  await minio.mc('mb', 's/backups');
});
after(() => minio.stop());

const open = (more: Partial<BucketConnection> = {}): Bucket =>
  openBucket(
    {
      endpoint: minio.endpoint,
      region: 'us-east-1',
      bucket: 'backups',
      pathStyle: true,
      accessKey: minio.accessKey,
      secretKey: minio.secretKey,
      ...more,
    },
    1,
  );

describe('a bucket of MinIO', () => {
  test('content of every size as it was, encrypted by the store where it is asked to', async () => {
    const bucket = open({ encryption: { algorithm: 'AES256' } });
    for (const size of [0, 1000, 16 * MIB, 33 * MIB + 5]) {
      const content = randomBytes(size);
      const key = `sizes/of ${size}`;
      assert.equal(await bucket.upload(key, Readable.from([content])), size);
      assert.equal(await bucket.size(key), size);
      assert.ok((await buffer(await bucket.read(key))).equals(content), key);
      assert.match(await minio.mc('stat', `s/backups/${key}`), /Encryption\s*:\s*SSE-S3/);
    }
    await bucket.upload('plain', Readable.from([Buffer.from('x')]));
    const listed = await bucket.list('sizes/');
    assert.equal(listed.length, 4);
    assert.ok(listed.every(({ modified }) => Math.abs(modified - Date.now()) < 600_000));
  });

  test('a thousand and more names come in pages; what is removed is gone', async () => {
    const bucket = open();
    for (let at = 0; at < 1010; at += 101)
      await Promise.all(
        Array.from({ length: 101 }, (_, n) => bucket.upload(`many/${at + n}`, Readable.from([Buffer.from('x')]))),
      );
    assert.equal((await bucket.list('many/')).length, 1010);
    await bucket.remove('many/7');
    assert.equal(await bucket.size('many/7'), undefined);
    await assert.rejects(bucket.read('many/7'), { code: 'ENOENT' });
  });

  test('a place: whole, with its sum; broken off it leaves nothing; what was left goes by its name', async () => {
    const bucket = open();
    const place = bucketPlace({ bucket: 'backups', prefix: 'ops/a' }, () => Promise.resolve(bucket));
    const content = randomBytes(20 * MIB);
    const sum = await place.write('one', () => Promise.resolve(Readable.from([content])));
    assert.equal(sum.bytes, content.length);
    const breaking = (): Promise<Readable> =>
      Promise.resolve(
        Readable.from(
          (async function* () {
            yield randomBytes(40 * MIB);
            await Promise.resolve();
            throw new Error('cut off');
          })(),
        ),
      );
    await assert.rejects(place.write('two', breaking), /cut off/);
    assert.deepEqual(
      (await place.list()).map(({ name, bytes }) => [name, bytes]),
      [['one', content.length]],
    );
    assert.equal((await minio.mc('ls', '--incomplete', '--recursive', 's/backups')).trim(), '');
    assert.equal(await place.remove('one'), true);
    assert.equal(await place.remove('one'), false);
  });

  test('who may not, and a bucket that is not there, are refused in words', async () => {
    await assert.rejects(open({ secretKey: 'not-the-secret' }).size('x'), { type: 'Forbidden' });
    await assert.rejects(open({ secretKey: 'not-the-secret' }).list(''), /SignatureDoesNotMatch.*The secret key/);
    await assert.rejects(open({ accessKey: 'nobody' }).list(''), /InvalidAccessKeyId.*not known there/);
    await assert.rejects(open({ bucket: 'missing' }).list(''), /NoSuchBucket.*Make the bucket first/);
    const policy =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject"],"Resource":["arn:aws:s3:::backups/*"]}]}';
    await minio.mc('admin', 'user', 'add', 's', 'writer', 'the-secret-of-the-writer');
    const { writeFile, rm } = await import('node:fs/promises');
    const file = `/tmp/policy-${process.pid}.json`;
    await writeFile(file, policy);
    await minio.mc('admin', 'policy', 'create', 's', 'write', file);
    await rm(file);
    await minio.mc('admin', 'policy', 'attach', 's', 'write', '--user', 'writer');
    const writer = open({ accessKey: 'writer', secretKey: 'the-secret-of-the-writer' });
    await writer.upload('w/one', Readable.from([Buffer.from('x')]));
    await assert.rejects(writer.remove('w/one'), /AccessDenied.*has to be allowed to read, write, list and delete/);
  });
});
