/** A container's log as it is written. */
import { createInterface } from 'node:readline';
import type { PodAddress } from './sockets.ts';
import type { Transport } from './transport.ts';

/** Until the API server begins to answer; it waits for the kubelet. */
const BEGIN_SECONDS = 10;

/** @throws KubernetesError where there is no log to follow, UnreachableError; ends quietly when cut off later on */
export async function* followLog(
  transport: Pick<Transport, 'stream'>,
  { namespace, pod }: PodAddress,
  container: string,
  { tailLines, since }: { tailLines?: number; since?: string },
  signal: AbortSignal,
): AsyncGenerator<string> {
  const answer = await transport.stream({
    path: `/api/v1/namespaces/${namespace}/pods/${pod}/log`,
    query: { container, follow: true, timestamps: true, tailLines, sinceTime: since },
    accept: '*/*',
    signal,
    timeoutSeconds: BEGIN_SECONDS,
  });
  const end = (): void => void answer.destroy();
  signal.addEventListener('abort', end, { once: true });
  // A connection that breaks ends the lines; whoever follows opens another one.
  answer.on('error', () => undefined);
  try {
    yield* createInterface({ input: answer, crlfDelay: Infinity });
  } catch (error) {
    if (!answer.destroyed) throw error;
  } finally {
    signal.removeEventListener('abort', end);
    answer.destroy();
  }
}
