import { connect } from 'amqplib';
import type { AmqpCheck } from '../check.ts';
import { ATTEMPT_MILLISECONDS, detail, Refused } from './refused.ts';

/** Logs in, sends a message and receives it: in a queue of its own that is deleted with the connection. */
export async function askAmqp({ host, port, user, password, vhost }: AmqpCheck): Promise<void> {
  try {
    const connection = await connect(
      { protocol: 'amqp', hostname: host, port, username: user, password, vhost, heartbeat: 30 },
      { timeout: ATTEMPT_MILLISECONDS },
    );
    connection.on('error', () => undefined);
    try {
      const channel = await connection.createConfirmChannel();
      channel.on('error', () => undefined);
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
      channel.sendToQueue(queue, Buffer.from('stand-in'));
      await channel.waitForConfirms();
      if ((await channel.get(queue, { noAck: true })) === false)
        throw new Error('a message that was sent did not arrive');
    } finally {
      await connection.close().catch(() => undefined);
    }
  } catch (error) {
    const { message } = detail(error);
    throw /ACCESS[-_]REFUSED|NOT[-_]ALLOWED|403/.test(message) ? new Refused(message) : error;
  }
}
