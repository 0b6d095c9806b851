/** What a worker in the cluster says of itself to the kubelet: alive, and asking the engine for work. */
import { createServer, type Server } from 'node:http';

export interface WorkerState {
  /** Temporal's word for it: RUNNING, STOPPING, DRAINING, DRAINED, STOPPED, FAILED. */
  state: string;
  /** Milliseconds since the epoch: when the engine last named this very worker among those who ask for work. */
  seenAt: number | undefined;
}

export interface Verdict {
  ok: boolean;
  text: string;
}

/** A question waits for an answer for up to 60 s before it is asked again. */
const SILENT_MILLISECONDS = 120_000;

/**
 * A worker that drains is alive: it ends what it has begun. One whose engine is away is, too: a restart would not bring
 * it back.
 */
export function isAlive({ state }: WorkerState): Verdict {
  return { ok: state !== 'FAILED' && state !== 'STOPPED', text: state };
}

/** A rolling update goes on to the next worker only when this one really gets work. */
export function isReady({ state, seenAt }: WorkerState, now: number): Verdict {
  if (state !== 'RUNNING') return { ok: false, text: state };
  if (seenAt === undefined) return { ok: false, text: 'the engine has not heard from this worker yet' };
  const silent = now - seenAt;
  return silent > SILENT_MILLISECONDS
    ? { ok: false, text: `the engine has not heard from this worker for ${Math.round(silent / 1000)} s` }
    : { ok: true, text: 'asks the engine for work' };
}

/** `GET /live` and `GET /ready`: 200 or 503 with a line of text. @param port 0: any that is free */
export async function serveHealth(port: number, look: () => WorkerState): Promise<{ port: number; close: () => void }> {
  const answers: Record<string, () => Verdict> = {
    '/live': () => isAlive(look()),
    '/ready': () => isReady(look(), Date.now()),
  };
  const server = createServer((request, response) => {
    const verdict = answers[request.url ?? '']?.();
    response
      .writeHead(verdict === undefined ? 404 : verdict.ok ? 200 : 503, { 'content-type': 'text/plain' })
      .end(`${verdict?.text ?? 'there is /live and /ready'}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  server.unref();
  return {
    port: portOf(server),
    close: () => {
      server.close();
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
