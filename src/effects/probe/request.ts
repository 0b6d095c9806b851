import http from 'node:http';
import { authorityOf, type ProbeContext, type ProbeTarget } from './types.ts';

export interface PodRequest {
  /** Of the container. */
  port: number;
  method?: string;
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | undefined;
  /** Bytes of the answer that are kept. */
  keep?: number;
}

export interface PodAnswer {
  status: number;
  /** Names in small letters; several values of one name joined by a comma. */
  headers: Record<string, string>;
  body: string;
  /** From the request to the end of the answer. */
  seconds: number;
}

const KEPT_BYTES = 65_536;

/** One HTTP request over a port-forward, which is closed with it. @throws Error when nothing answers */
export async function requestPod(
  context: ProbeContext,
  target: ProbeTarget,
  { port, method = 'GET', path, headers = {}, body, keep = KEPT_BYTES }: PodRequest,
  signal: AbortSignal,
): Promise<PodAnswer> {
  const stream = await context.kubernetes.connect(target, port, signal);
  const begun = performance.now();
  try {
    return await new Promise<PodAnswer>((resolve, reject) => {
      const request = http.request(
        {
          // Without an agent the given connection is used for this one request.
          createConnection: () => stream,
          method,
          path,
          headers: {
            host: authorityOf(target),
            'user-agent': 'ananta-deploy',
            accept: '*/*',
            connection: 'close',
            ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
            ...headers,
          },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          let kept = 0;
          answer.on('data', (chunk: Buffer) => {
            if (kept < keep) chunks.push(chunk.subarray(0, keep - kept));
            kept += chunk.length;
          });
          answer.once('error', reject);
          answer.once('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              headers: Object.fromEntries(
                Object.entries(answer.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
              ),
              body: Buffer.concat(chunks).toString('utf8'),
              seconds: (performance.now() - begun) / 1000,
            }),
          );
        },
      );
      const abort = (): void => {
        request.destroy(signal.reason as Error);
      };
      signal.addEventListener('abort', abort, { once: true });
      request.once('close', () => signal.removeEventListener('abort', abort));
      request.once('error', reject);
      request.end(body);
    });
  } finally {
    stream.destroy();
  }
}
