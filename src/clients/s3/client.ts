/**
 * One bucket of a store with the S3 API: AWS, MinIO and the like. Every byte that is sent has its SHA-256 in the signed
 * request, so that the store itself refuses what is not what was meant. Requests are tried again while the store is
 * away.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import {
  completion,
  type ListedObject,
  listedObjects,
  textOf,
  type UnfinishedUpload,
  unfinishedUploads,
} from './answers.ts';
import { BucketError } from './errors.ts';

export interface BucketConnection {
  /** Of the store, without the bucket. */
  endpoint: string;
  region: string;
  bucket: string;
  /** `ENDPOINT/BUCKET/key`, in place of `BUCKET.ENDPOINT/key`. */
  pathStyle: boolean;
  accessKey: string;
  secretKey: string;
  sessionToken?: string | undefined;
  /** What the store encrypts objects with, by a key of its own or one of its key service. */
  encryption?: { algorithm: 'AES256' | 'aws:kms'; key?: string | undefined } | undefined;
}

export interface Bucket {
  /** Content of unknown length, in parts. The object is there when all of it is. @returns its size */
  upload(key: string, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<number>;
  /** @throws Error with code ENOENT where there is no such object */
  read(key: string, signal?: AbortSignal): Promise<Readable>;
  /** @returns undefined where there is no such object */
  size(key: string, signal?: AbortSignal): Promise<number | undefined>;
  list(prefix: string, signal?: AbortSignal): Promise<ListedObject[]>;
  remove(key: string, signal?: AbortSignal): Promise<void>;
  /** Uploads that were begun and not ended, of this and other processes. */
  unfinished(prefix: string, signal?: AbortSignal): Promise<UnfinishedUpload[]>;
  abandon(upload: Pick<UnfinishedUpload, 'key' | 'id'>, signal?: AbortSignal): Promise<void>;
}

const ATTEMPTS = 5;
const FIRST_PAUSE_MILLISECONDS = 500;
const ANSWER_MILLISECONDS = 60_000;
/** Of one part, on a slow line. */
const PART_MILLISECONDS = 600_000;
const MIB = 1024 * 1024;
/** A store takes 10,000 parts: the first thousand are small, so that little has to be kept in memory. */
const PARTS = [
  { upTo: 1000, bytes: 16 * MIB },
  { upTo: 10_000, bytes: 128 * MIB },
] as const;

interface Asked {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  key?: string;
  query?: Record<string, string>;
  headers?: Record<string, string> | undefined;
  body?: Buffer;
  /** Its content is read as it comes: only its beginning has to be there in time. */
  streams?: true;
  signal?: AbortSignal | undefined;
}

export function openBucket(connection: BucketConnection, pauseMilliseconds = FIRST_PAUSE_MILLISECONDS): Bucket {
  const { bucket, region, accessKey, secretKey, sessionToken } = connection;
  const client = new AwsClient({
    accessKeyId: accessKey,
    secretAccessKey: secretKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    service: 's3',
    region,
    retries: 0,
  });

  const once = async (asked: Asked): Promise<Response> => {
    const { method, key = '', query = {}, headers = {}, body, streams, signal } = asked;
    const url = addressOf(connection, key, query);
    const request = await client.sign(url, {
      method,
      headers: { ...headers, 'x-amz-content-sha256': sha256(body ?? Buffer.alloc(0)) },
      ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
    });
    const { limit, lift } = timeLimit(body === undefined ? ANSWER_MILLISECONDS : PART_MILLISECONDS);
    // A store of another region says so by a redirect, and the signature holds for this one alone.
    const answer = await fetch(request, {
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    // Whoever takes the content may be slow; a store that falls silent in it is given up by fetch itself.
    if (streams) lift();
    return answer;
  };
  const what = ({ method, key = '' }: Asked): string => `${method} s3://${bucket}/${key}`;
  /** An answer that breaks off is one that has not come. */
  const brokenOff = (asked: Asked, error: unknown): BucketError => {
    asked.signal?.throwIfAborted();
    return BucketError.away(what(asked), connection, error);
  };
  const ask = async (asked: Asked): Promise<Response> => {
    const { signal } = asked;
    for (let attempt = 1; ; attempt += 1) {
      let failure: BucketError;
      try {
        const answer = await once(asked);
        if (answer.ok) return answer;
        failure = await BucketError.of(what(asked), answer, connection);
      } catch (error) {
        failure = brokenOff(asked, error);
      }
      if (!failure.passing || attempt >= ATTEMPTS) throw failure;
      await sleep(pauseMilliseconds * 2 ** (attempt - 1), undefined, signal ? { signal } : {});
    }
  };
  const text = async (asked: Asked): Promise<string> => {
    const answer = await ask(asked);
    return answer.text().catch((error: unknown) => {
      throw brokenOff(asked, error);
    });
  };

  const abandon: Bucket['abandon'] = async ({ key, id }, signal) => {
    await ask({ method: 'DELETE', key, query: { uploadId: id }, signal });
  };
  const size: Bucket['size'] = async (key, signal) => {
    try {
      return Number((await ask({ method: 'HEAD', key, signal })).headers.get('content-length') ?? 0);
    } catch (error) {
      if (error instanceof BucketError && error.status === 404) return undefined;
      throw error;
    }
  };
  const encryption = encryptionHeaders(connection);

  async function inParts(
    key: string,
    first: Buffer,
    rest: AsyncIterator<Buffer>,
    signal?: AbortSignal,
  ): Promise<number> {
    const started = await text({ method: 'POST', key, query: { uploads: '' }, headers: encryption, signal });
    const id = textOf(started, 'UploadId') ?? '';
    try {
      const etags: string[] = [];
      let bytes = 0;
      for (let part: Buffer | undefined = first; part !== undefined; part = await nextOf(rest)) {
        const query = { partNumber: String(etags.length + 1), uploadId: id };
        const answer = await ask({ method: 'PUT', key, query, body: part, signal });
        etags.push(answer.headers.get('etag') ?? '');
        bytes += part.length;
      }
      await complete(key, id, { etags, bytes }, signal);
      return bytes;
    } catch (error) {
      await abandon({ key, id }, AbortSignal.timeout(ANSWER_MILLISECONDS)).catch(() => undefined);
      throw error;
    }
  }

  async function complete(
    key: string,
    id: string,
    { etags, bytes }: { etags: readonly string[]; bytes: number },
    signal?: AbortSignal,
  ): Promise<void> {
    try {
      const body = Buffer.from(completion(etags));
      const ended = await text({ method: 'POST', key, query: { uploadId: id }, body, signal });
      // It may begin its answer before it is done, and has to say then how it ended.
      if (textOf(ended, 'ETag') === undefined)
        throw BucketError.said(`POST s3://${bucket}/${key}`, 500, ended, connection);
    } catch (error) {
      // The first answer was lost, and there is nothing left to be ended.
      if (error instanceof BucketError && error.status === 404 && (await size(key, signal)) === bytes) return;
      throw error;
    }
  }

  /** An answer that breaks off is no damaged object. */
  async function* whole(
    asked: Asked,
    body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw brokenOff(asked, error);
    }
  }

  return {
    upload: async (key, content, signal) => {
      const parts = inPieces(content);
      const first = await nextOf(parts);
      const second = first === undefined ? undefined : await nextOf(parts);
      if (second === undefined) {
        const body = first ?? Buffer.alloc(0);
        await ask({ method: 'PUT', key, headers: encryption, body, signal });
        return body.length;
      }
      return inParts(key, first ?? second, startingWith(second, parts), signal);
    },
    read: async (key, signal) => {
      const asked: Asked = { method: 'GET', key, streams: true, signal };
      const { body } = await ask(asked);
      return Readable.from(whole(asked, body ?? []), { objectMode: false });
    },
    size,
    list: async (prefix, signal) => {
      const found: ListedObject[] = [];
      for (let token: string | undefined = ''; token !== undefined; ) {
        const query = { 'list-type': '2', 'encoding-type': 'url', prefix };
        const xml: string = await text({
          method: 'GET',
          query: token === '' ? query : { ...query, 'continuation-token': token },
          signal,
        });
        const { objects, next } = listedObjects(xml);
        found.push(...objects);
        token = next;
      }
      return found;
    },
    remove: async (key, signal) => {
      await ask({ method: 'DELETE', key, signal });
    },
    unfinished: async (prefix, signal) =>
      unfinishedUploads(await text({ method: 'GET', query: { uploads: '', 'encoding-type': 'url', prefix }, signal })),
    abandon,
  };
}

/** Of an object, or of the bucket itself where the key is empty. */
export function addressOf(
  { endpoint, bucket, pathStyle }: BucketConnection,
  key: string,
  query: Record<string, string>,
): string {
  const url = new URL(endpoint);
  if (!pathStyle) url.hostname = `${bucket}.${url.hostname}`;
  const path = [pathStyle ? bucket : '', ...key.split('/').map(encodeURIComponent)].filter((part) => part !== '');
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path.join('/')}`;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.toString();
}

/** Fires after that time, unless it is lifted before. */
function timeLimit(milliseconds: number): { limit: AbortSignal; lift: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new DOMException(`no answer within ${milliseconds / 1000} s`, 'TimeoutError'));
  }, milliseconds);
  timer.unref();
  return { limit: controller.signal, lift: () => clearTimeout(timer) };
}

function encryptionHeaders({ encryption }: BucketConnection): Record<string, string> | undefined {
  if (encryption === undefined) return undefined;
  return {
    'x-amz-server-side-encryption': encryption.algorithm,
    ...(encryption.key === undefined ? {} : { 'x-amz-server-side-encryption-aws-kms-key-id': encryption.key }),
  };
}

/** Parts as large as their number allows; the last one is what is left. */
async function* inPieces(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  let count = 0;
  for await (const chunk of content) {
    waiting.push(chunk);
    size += chunk.length;
    const wanted = PARTS.find(({ upTo }) => count < upTo)?.bytes ?? Infinity;
    if (size < wanted) continue;
    yield Buffer.concat(waiting);
    count += 1;
    waiting = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(waiting);
}

async function nextOf(parts: AsyncIterator<Buffer>): Promise<Buffer | undefined> {
  const next = await parts.next();
  return next.done === true ? undefined : next.value;
}

async function* startingWith(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
