/** Lets pods reach the API server, which itself listens on loopback only: one more address, on the link to the node. */
import { type Server, connect, createServer } from 'node:net';
import { LOOPBACK } from '../../process/ports.ts';

/** @throws Error when the address is not there or the port is taken */
export async function forwardPort(address: string, port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const upstream = connect({ host: LOOPBACK, port, allowHalfOpen: true, noDelay: true });
    socket.pipe(upstream).pipe(socket);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server;
}
