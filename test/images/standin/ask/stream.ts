import { connect } from 'rabbitmq-stream-js-client';
import type { StreamCheck } from '../check.ts';
import { detail, Refused } from './refused.ts';

/**
 * Logs in by the stream protocol. With a stream: declares it as its reader would, and asks where it is, since clients
 * connect a second time, to the address that the broker names.
 */
export async function askStream({ host, port, user, password, stream }: StreamCheck): Promise<void> {
  try {
    const client = await connect({ hostname: host, port, username: user, password, vhost: '/', heartbeat: 30 });
    try {
      if (stream === undefined) return;
      await client.createStream({ stream, arguments: { 'max-length-bytes': 100_000_000 } }).catch((error: unknown) => {
        if (!/already exists|17\b/i.test(detail(error).message)) throw error;
      });
      const [found] = await client.queryMetadata({ streams: [stream] });
      const leader = found?.leader;
      if (leader === undefined) throw new Error(`the broker knows no leader of ${stream}`);
      if (leader.host !== host || leader.port !== port)
        throw new Error(`the broker sends clients to ${leader.host}:${leader.port}, not to ${host}:${port}`);
    } finally {
      await client.close().catch(() => undefined);
    }
  } catch (error) {
    const { message } = detail(error);
    throw /authenticat|access refused|code 8\b/i.test(message) ? new Refused(message) : error;
  }
}
