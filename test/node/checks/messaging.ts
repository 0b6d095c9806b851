/** RabbitMQ and the caches: the right password is let in, others are not; the stream port accepts. */
import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import type { Platform } from '../support/platform.ts';

const CACHES: Record<string, string> = {
  'control-plane-redis': 'cache-system',
  'app-plane-redis': 'app-plane',
  'novu-redis': 'notifications',
};

export async function checkMessaging(platform: Platform): Promise<void> {
  const { username = '', 'rabbitmq-password': password = '' } = await platform.secret(
    'app-plane',
    'messaging/rabbitmq',
  );
  const { address } = await platform.pod('rabbitmq');
  const overview = async (secret: string): Promise<Response> =>
    fetch(`http://${address}:15672/api/overview`, {
      headers: { authorization: `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}` },
    });
  const answer = await overview(password);
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /"protocol":"stream"/, 'it listens for streams');
  assert.equal((await overview('not-the-password')).status, 401);
  await new Promise<void>((resolve, reject) => {
    const socket = createConnection({ host: address, port: 5552 }, () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });

  for (const [cache, namespace] of Object.entries(CACHES)) {
    const secret = (await platform.secret(namespace, `cache/${cache}`))['redis-password'] ?? '';
    const ping = (value: string): Promise<string> =>
      platform.exec(
        cache,
        ['sh', '-ec', 'read -r REDISCLI_AUTH; export REDISCLI_AUTH; redis-cli -e ping 2>&1 || true'],
        `${value}\n`,
      );
    assert.match(await ping(secret), /^PONG/m, cache);
    assert.match(await ping('not-the-password'), /WRONGPASS|NOAUTH/, cache);
  }
}
