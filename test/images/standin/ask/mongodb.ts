import { MongoClient } from 'mongodb';
import type { MongoCheck } from '../check.ts';
import { ATTEMPT_MILLISECONDS, detail, Refused } from './refused.ts';

/** Logs in with the connection string as it is, and asks its own database. */
export async function askMongodb({ url, database }: MongoCheck): Promise<void> {
  const client = new MongoClient(url, {
    serverSelectionTimeoutMS: ATTEMPT_MILLISECONDS,
    connectTimeoutMS: ATTEMPT_MILLISECONDS,
    maxPoolSize: 1,
    monitorCommands: false,
    appName: 'stand-in',
  });
  try {
    await client.connect();
    await client.db(database).command({ ping: 1 });
  } catch (error) {
    const { message, code } = detail(error);
    // AuthenticationFailed, Unauthorized.
    throw code === '18' || code === '13' || /authentication failed/i.test(message) ? new Refused(message) : error;
  } finally {
    await client.close().catch(() => undefined);
  }
}
