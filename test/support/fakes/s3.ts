/**
 * A store with the S3 API that refuses what AWS and MinIO refuse: wrong signatures and sums, unknown buckets, parts
 * that are too small, uploads that are not there. The real one is in test/node/bucket.test.ts.
 */
import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

const SMALLEST_PART = 5 * 1024 * 1024;
const PAGE = 2;

export interface FakeS3 {
  endpoint: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
  /** By key. */
  objects: Map<string, { content: Buffer; modified: Date; encryption: string | undefined }>;
  uploads: Map<string, { key: string; parts: Map<number, Buffer>; began: Date; encryption: string | undefined }>;
  /** Method and key, as they came; signed and whole ones alone. */
  requests: string[];
  /**
   * What the next request like this gets instead: an answer, or a connection that breaks. `after`: it is carried out.
   */
  fail: (method: string, how: { status: number; code?: string } | 'cut', after?: boolean) => void;
  close: () => Promise<void>;
}

export async function fakeS3(): Promise<FakeS3> {
  const store: Pick<FakeS3, 'objects' | 'uploads' | 'requests'> = {
    objects: new Map(),
    uploads: new Map(),
    requests: [],
  };
  const [bucket, accessKey, secretKey] = ['backups', 'AKIAFAKE', 'a-secret-key-of-the-store'];
  const failures: { method: string; how: { status: number; code?: string } | 'cut'; after: boolean }[] = [];

  const handle = async (incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const url = new URL(incoming.url ?? '/', 'http://fake');
    const method = incoming.method ?? '';
    const index = failures.findIndex((one) => one.method === method);
    const [failure] = index === -1 ? [] : failures.splice(index, 1);
    const answer = (): { status: number; body?: string | Buffer; headers?: Record<string, string> } => {
      const wrong = refused(incoming, url, body, { accessKey, secretKey });
      if (wrong !== undefined) return { status: 403, body: error(wrong) };
      return carriedOut(store, bucket, { method, url, body, headers: incoming.headers });
    };
    const planned = failure === undefined || failure.after ? answer() : undefined;
    if (failure?.how === 'cut') {
      // In the middle of what it answers, where it has begun to.
      const { status, body: half = '', headers = {} } = planned ?? { status: 0 };
      if (method === 'GET' && planned) outgoing.writeHead(status, headers).write(half.slice(0, half.length / 2));
      setTimeout(() => incoming.socket.destroy(), 5);
      return;
    }
    const said = failure ? { status: failure.how.status, body: error(failure.how.code ?? 'Fails') } : planned!;
    outgoing.writeHead(said.status, { 'content-type': 'application/xml', ...planned?.headers });
    outgoing.end(method === 'HEAD' ? undefined : said.body);
  };
  const server = http.createServer((incoming, outgoing) => void handle(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...store,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bucket,
    accessKey,
    secretKey,
    fail: (method, how, after = false) => failures.push({ method, how, after }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const error = (code: string): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>fake</Message></Error>`;
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

/** AWS Signature Version 4, from its description. @returns what is wrong */
function refused(
  { method = '', headers }: http.IncomingMessage,
  url: URL,
  body: Buffer,
  { accessKey, secretKey }: { accessKey: string; secretKey: string },
): string | undefined {
  const [, credential = '', signed = '', signature] =
    /^AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  const [key, date = '', region = '', service = ''] = credential.split('/');
  if (key !== accessKey) return 'InvalidAccessKeyId';
  const content = String(headers['x-amz-content-sha256']);
  if (!['host', 'x-amz-content-sha256', 'x-amz-date'].every((name) => signed.split(';').includes(name)))
    return 'AccessDenied';
  const query = [...url.searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&');
  const canonical = [
    method,
    url.pathname
      .split('/')
      .map((part) => encoded(decodeURIComponent(part)))
      .join('/'),
    query,
    ...signed.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    signed,
    content,
  ].join('\n');
  const time = String(headers['x-amz-date']);
  const text = ['AWS4-HMAC-SHA256', time, `${date}/${region}/${service}/aws4_request`, sha256(canonical)].join('\n');
  const signing = hmac(hmac(hmac(hmac(`AWS4${secretKey}`, date), region), service), 'aws4_request');
  if (hmac(signing, text).toString('hex') !== signature) return 'SignatureDoesNotMatch';
  return content === sha256(body) ? undefined : 'XAmzContentSHA256Mismatch';
}

interface Request {
  method: string;
  url: URL;
  body: Buffer;
  headers: http.IncomingHttpHeaders;
}

function carriedOut(
  { objects, uploads, requests }: Pick<FakeS3, 'objects' | 'uploads' | 'requests'>,
  bucket: string,
  { method, url, body, headers }: Request,
): { status: number; body?: string | Buffer; headers?: Record<string, string> } {
  const [, name = '', ...rest] = decodeURIComponent(url.pathname).split('/');
  const key = rest.join('/');
  const query = url.searchParams;
  requests.push(`${method} ${key}`);
  if (name !== bucket) return { status: 404, body: error('NoSuchBucket') };
  const encryption = headers['x-amz-server-side-encryption'] as string | undefined;
  const upload = uploads.get(query.get('uploadId') ?? '');
  if (query.has('uploadId') && upload?.key !== key) return { status: 404, body: error('NoSuchUpload') };
  if (key === '' && query.has('uploads'))
    return {
      status: 200,
      body: `<R>${[...uploads]
        .filter(([, one]) => one.key.startsWith(query.get('prefix') ?? ''))
        .map(
          ([id, one]) =>
            `<Upload><Key>${encoded(one.key)}</Key><UploadId>${id}</UploadId><Initiated>${one.began.toISOString()}</Initiated></Upload>`,
        )
        .join('')}</R>`,
    };
  if (key === '') return { status: 200, body: listing(objects, query) };
  if (method === 'POST' && query.has('uploads')) {
    const id = `upload-${uploads.size + 1}-${Date.now()}`;
    uploads.set(id, { key, parts: new Map(), began: new Date(), encryption });
    return { status: 200, body: `<R><UploadId>${id}</UploadId></R>` };
  }
  if (method === 'PUT' && upload) {
    upload.parts.set(Number(query.get('partNumber')), body);
    return { status: 200, headers: { etag: `"${sha256(body)}"` } };
  }
  if (method === 'POST' && upload) {
    const wanted = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]+)<\/ETag>/g)];
    const parts = wanted.map(([, number]) => upload.parts.get(Number(number)));
    if (wanted.some(([, , etag], index) => etag !== `"${sha256(parts[index] ?? '')}"`))
      return { status: 400, body: error('InvalidPart') };
    if (parts.slice(0, -1).some((part) => part!.length < SMALLEST_PART))
      return { status: 400, body: error('EntityTooSmall') };
    objects.set(key, {
      content: Buffer.concat(parts.map((part) => part!)),
      modified: new Date(),
      encryption: upload.encryption,
    });
    uploads.delete(query.get('uploadId') ?? '');
    return { status: 200, body: '<R><ETag>"of-all"</ETag></R>' };
  }
  if (method === 'DELETE') {
    if (upload) uploads.delete(query.get('uploadId') ?? '');
    else objects.delete(key);
    return { status: 204 };
  }
  if (method === 'PUT') {
    objects.set(key, { content: body, modified: new Date(), encryption });
    return { status: 200, headers: { etag: '"one"' } };
  }
  const found = objects.get(key);
  if (found === undefined) return { status: 404, body: error('NoSuchKey') };
  return { status: 200, body: found.content, headers: { 'content-length': String(found.content.length) } };
}

/** Two at a time: whoever reads one page has not read all. */
function listing(objects: FakeS3['objects'], query: URLSearchParams): string {
  const from = Number(query.get('continuation-token') ?? 0);
  const keys = [...objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '')).sort();
  const more = keys.length > from + PAGE;
  return `<R>${keys
    .slice(from, from + PAGE)
    .map((key) => {
      const { content, modified } = objects.get(key)!;
      return `<Contents><Key>${encoded(key)}</Key><LastModified>${modified.toISOString()}</LastModified><Size>${content.length}</Size></Contents>`;
    })
    .join(
      '',
    )}<IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${from + PAGE}</NextContinuationToken>` : ''}</R>`;
}
