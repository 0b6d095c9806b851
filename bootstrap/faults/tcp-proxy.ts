/** A way to a server on this machine that can be cut, held up and slowed down while it is in use. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export interface TcpProxy {
  port: number;
  /** Connections are reset, new ones as well. */
  cut: () => void;
  /** Connections stay, and nothing comes through any more, as behind a dead router. */
  stall: () => void;
  /** Each piece comes so much later. */
  slow: (milliseconds: number) => void;
  /** As at the beginning; what was held up comes through. */
  restore: () => void;
  close: () => Promise<void>;
}

type Way = { is: 'open' } | { is: 'cut' } | { is: 'stalled' } | { is: 'slow'; milliseconds: number };

/** @param target port on 127.0.0.1; asked anew for every connection, which ends where it throws */
export async function tcpProxy(target: () => number | Promise<number>, port = 0): Promise<TcpProxy> {
  let way: Way = { is: 'open' };
  let gate = closed();
  gate.open();
  const sockets = new Set<Socket>();
  const passage = (): Transform =>
    new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        void gate.opened
          .then(() => (way.is === 'slow' ? sleep(way.milliseconds) : undefined))
          .then(() => {
            done(null, chunk);
          });
      },
    });
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    if (way.is === 'cut') {
      client.resetAndDestroy();
      return;
    }
    keep(client);
    void (async () => {
      const upstream = connect(await target(), '127.0.0.1');
      keep(upstream);
      pipeline(client, passage(), upstream, () => {
        client.destroy();
      });
      pipeline(upstream, passage(), client, () => {
        upstream.destroy();
      });
    })().catch(() => client.destroy());
  });
  const go = (next: Way): void => {
    way = next;
    if (next.is === 'stalled') gate = closed();
    else gate.open();
    if (next.is === 'cut') for (const socket of sockets) socket.resetAndDestroy();
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      go({ is: 'cut' });
    },
    stall: () => {
      go({ is: 'stalled' });
    },
    slow: (milliseconds) => {
      go({ is: 'slow', milliseconds });
    },
    restore: () => {
      go({ is: 'open' });
    },
    close: async () => {
      gate.open();
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** What waits until somebody opens it. */
function closed(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return {
    opened: promise,
    open: () => {
      resolve(undefined);
    },
  };
}
