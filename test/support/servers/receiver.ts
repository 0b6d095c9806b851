/** A receiver of webhooks on this machine that answers as a test wants, and remembers what it got. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  headers: IncomingHttpHeaders;
  path: string;
  body: string;
}

export type Answers = { status: number; headers?: Record<string, string>; body?: string } | 'hangs' | 'closes';

export interface Receiver {
  url: string;
  got: Received[];
  /** Sets how requests are answered from now on. */
  answers: (next: Answers) => void;
}

export async function withReceiver<T>(work: (receiver: Receiver) => Promise<T>): Promise<T> {
  const got: Received[] = [];
  let now: Answers = { status: 200 };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      got.push({ headers: request.headers, path: request.url ?? '', body });
      if (now === 'hangs') return;
      if (now === 'closes') request.socket.destroy();
      else response.writeHead(now.status, now.headers).end(now.body ?? '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      got,
      answers: (next) => (now = next),
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
