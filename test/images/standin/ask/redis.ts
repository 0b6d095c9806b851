import { createClient } from '@redis/client';
import type { RedisCheck } from '../check.ts';
import { ATTEMPT_MILLISECONDS, detail, Refused } from './refused.ts';

/** Logs in, chooses the database, and asks for PONG. */
export async function askRedis({ host, port, user, password, database }: RedisCheck): Promise<void> {
  const client = createClient({
    socket: { host, port, connectTimeout: ATTEMPT_MILLISECONDS, reconnectStrategy: false },
    database,
    password,
    ...(user === '' ? {} : { username: user }),
    disableOfflineQueue: true,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const answer = await client.ping();
    if (answer !== 'PONG') throw new Error('it answers, but not as Redis does');
    await client.close();
  } catch (error) {
    const { message } = detail(error);
    throw /WRONGPASS|NOAUTH|NOPERM|without any password/.test(message) ? new Refused(message) : error;
  } finally {
    if (client.isOpen) client.destroy();
  }
}
