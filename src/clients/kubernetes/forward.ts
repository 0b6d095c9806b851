/** A port of this machine behind which a port of some pod of a release answers, through the API server. */
import { createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { isPodReady, isPodRunning } from '../../plan/health/index.ts';
import type { KubernetesClient } from './client.ts';
import { UnreachableError } from './errors.ts';
import { INSTANCE } from './objects.ts';
import { paths } from './paths.ts';

export interface ForwardTarget {
  namespace: string;
  /** Instance label of the pods. */
  release: string;
  /** Of the container. */
  port: number;
}

export interface Forward {
  /** On 127.0.0.1. Whoever may connect to this machine's loopback may use it while it is open. */
  port: number;
  /** Why the newest connection did not come about; undefined when it did. */
  problem: () => string | undefined;
  close: () => Promise<void>;
}

/**
 * Every connection chooses a pod anew, so that a pod that is replaced costs no more than a new connection.
 * @param localPort 0: any that is free
 */
export async function openForward(
  kubernetes: Pick<KubernetesClient, 'list' | 'connect'>,
  target: ForwardTarget,
  localPort = 0,
): Promise<Forward> {
  let problem: string | undefined;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Both ends belong to programs that look after broken connections themselves.
    socket.on('error', () => undefined);
    connectToRelease(kubernetes, target)
      .then(async (stream) => {
        problem = undefined;
        await Promise.all([pipeline(socket, stream), pipeline(stream, socket)]);
      })
      .catch((error: unknown) => {
        problem = error instanceof Error ? error.message : String(error);
        socket.destroy();
      });
  });
  const port = await listen(server, localPort);
  // The tunnel alone does not keep the process alive.
  server.unref();
  return {
    port,
    problem: () => problem,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** @throws UnreachableError when no pod of the release is running */
async function connectToRelease(
  kubernetes: Pick<KubernetesClient, 'list' | 'connect'>,
  { namespace, release, port }: ForwardTarget,
): ReturnType<KubernetesClient['connect']> {
  const { items } = await kubernetes.list(paths.pods(namespace), { labelSelector: `${INSTANCE}=${release}` });
  const running = items.filter(isPodRunning);
  const pod = running.find(isPodReady) ?? running[0];
  if (!pod) throw new UnreachableError(`no pod of ${namespace}/${release} is running`);
  return kubernetes.connect({ namespace, pod: pod.metadata.name }, port);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', reject);
      resolve((server.address() as { port: number }).port);
    });
  });
}
