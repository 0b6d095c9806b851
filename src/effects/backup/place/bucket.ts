/** A bucket. Nothing of an attempt that was killed is an object; what was uploaded of it is swept up a day later. */
import type { Readable } from 'node:stream';
import type { Bucket } from '../../../clients/s3/index.ts';
import { DeployError } from '../../../contract/errors.ts';
import { FAILURES } from '../../../contract/failures.ts';
import type { BucketSettings } from '../../../environment/fields/backup/bucket.ts';
import { counted, runningSum } from '../sum.ts';
import type { KeptSource } from './source.ts';
import { type BackupPlace, LEFT_MILLISECONDS } from './types.ts';

/** @param client given when it is first needed: keys are read where they lie */
export function bucketPlace(
  { bucket, prefix }: Pick<BucketSettings, 'bucket' | 'prefix'>,
  client: (signal?: AbortSignal) => Promise<Bucket>,
): BackupPlace {
  const folder = prefix === undefined ? '' : `${prefix}/`;
  const keyOf = (name: string): string => `${folder}${name}`;
  const nameOf = (key: string): string => key.slice(folder.length);
  const locationOf = (name: string): string => `s3://${bucket}/${keyOf(name)}`;
  return {
    where: `s3://${bucket}/${folder}`,
    keeper: `s3://${bucket}`,
    locationOf,
    async write(name, content, signal) {
      const to = await client(signal);
      const running = runningSum();
      let source: Readable | undefined;
      try {
        source = await content();
        await to.upload(keyOf(name), counted(source as AsyncIterable<Uint8Array>, running), signal);
      } finally {
        source?.destroy();
      }
      const sum = running.total();
      const size = await to.size(keyOf(name), signal);
      if (size !== sum.bytes)
        throw new DeployError(
          FAILURES.unexpected,
          `${locationOf(name)} does not hold what was written to it: ${size ?? 'no'} bytes in place of ${sum.bytes}`,
        );
      return sum;
    },
    async list(signal) {
      const objects = await (await client(signal)).list(folder, signal);
      return objects
        .map(({ key, bytes, modified }) => ({ name: nameOf(key), bytes, modified }))
        .filter(({ name }) => !name.includes('/'));
    },
    async remove(name, signal) {
      const from = await client(signal);
      if ((await from.size(keyOf(name), signal)) === undefined) return false;
      await from.remove(keyOf(name), signal);
      return true;
    },
    async sweep(isOurs, signal) {
      const of = await client(signal);
      const left = (await of.unfinished(folder, signal)).filter(
        ({ key, began }) => isOurs(nameOf(key)) && began < Date.now() - LEFT_MILLISECONDS,
      );
      for (const upload of left) await of.abandon(upload, signal);
      return left.length;
    },
  };
}

/** @returns bucket and key; undefined for a path */
export function parseLocation(location: string): { bucket: string; key: string } | undefined {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(location) ?? [];
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
}

export function bucketSource(
  location: string,
  key: string,
  client: () => Promise<Bucket>,
  signal?: AbortSignal,
): KeptSource {
  return { location, open: async () => (await client()).read(key, signal) };
}
