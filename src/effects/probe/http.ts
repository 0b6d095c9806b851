import http from 'node:http';
import type { Health } from '../../catalog/schema.ts';
import { authorityOf, brief, type ProbeContext, type ProbeResult, type ProbeTarget } from './types.ts';

/** GET over a port-forward: any status below 400 is good, as for a kubelet. */
export async function probeHttp(
  context: ProbeContext,
  target: ProbeTarget,
  health: Extract<Health, { kind: 'http' }>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const stream = await context.kubernetes.connect(target, health.port, signal);
  const what = `GET ${health.path}`;
  try {
    return await new Promise<ProbeResult>((resolve, reject) => {
      const request = http.request(
        {
          // Without an agent the given connection is used for this one request.
          createConnection: () => stream,
          path: health.path,
          headers: { host: authorityOf(target), 'user-agent': 'ananta-deploy', accept: '*/*', connection: 'close' },
        },
        (answer) => {
          const status = answer.statusCode ?? 0;
          let body = '';
          answer.on('data', (chunk: Buffer) => {
            if (body.length < 1000) body += chunk.toString('utf8');
          });
          answer.once('error', reject);
          answer.once('end', () =>
            resolve(
              status >= 200 && status < 400
                ? { ok: true, text: `${what} ${status}` }
                : { ok: false, text: `${what} ${status}${body === '' ? '' : `: ${brief(body)}`}` },
            ),
          );
        },
      );
      const abort = (): void => {
        request.destroy(signal.reason as Error);
      };
      signal.addEventListener('abort', abort, { once: true });
      request.once('close', () => signal.removeEventListener('abort', abort));
      request.once('error', reject);
      request.end();
    });
  } finally {
    stream.destroy();
  }
}
