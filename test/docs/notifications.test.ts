/**
 * What docs/look-up/notifications.md shows is so: an environment file as it stands there, and how a receiver verifies a
 * webhook.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { readConfig } from '../../src/config.ts';
import { notificationSchema } from '../../src/contract/notifications.ts';
import { NOTIFY_EVENTS } from '../../src/contract/notify-events.ts';
import { notifySchema } from '../../src/environment/fields/notify.ts';
import { signatureHeaders } from '../../src/effects/notify/signature.ts';
import { MOST_ATTEMPTS, nextAttempt } from '../../src/plan/notify/backoff.ts';
import { notifyTargets } from '../../src/plan/notify/targets.ts';

const page = await readFile(join(readConfig().repoRoot, 'docs', 'look-up', 'notifications.md'), 'utf8');
const block = (language: string): string => new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(page)?.[1] ?? '';

test('the example of an environment is one, and every event has its line', () => {
  const { notify } = parse(block('yaml')) as { notify: unknown };
  assert.deepEqual(
    notifyTargets(notifySchema.parse(notify)).map(({ name }) => name),
    ['channel', 'inventory', 'pager'],
  );
  for (const event of NOTIFY_EVENTS) assert.ok(page.includes(`| \`${event}\` | `), event);
  notificationSchema.parse(JSON.parse(block('json')));
  const waits = Array.from({ length: MOST_ATTEMPTS - 1 }, (_, at) => String(nextAttempt(at + 1, {})));
  assert.ok(page.includes(`after ${waits.slice(0, -1).join(', ')} and ${waits.at(-1)} s`), waits.join(', '));
});

test('a receiver verifies a webhook as the page shows it', async () => {
  const module = (await import(`data:text/javascript,${encodeURIComponent(block('js'))}`)) as {
    verify: (key: string, headers: Record<string, string>, body: string, now?: number) => boolean;
  };
  const body = '{"title":"It failed"}';
  const now = Date.now();
  for (const key of ['any text', 'whsec_plJ3nmyCDGBKInavdOK15jsl']) {
    const headers = signatureHeaders(`${key}\n`, 'msg_1', Math.floor(now / 1000), body);
    const verifies = (more: Record<string, string> = {}, other = body, at = now): boolean =>
      module.verify(key, { ...headers, ...more }, other, at);
    assert.equal(verifies(), true);
    // While a key is exchanged a sender may sign with both.
    assert.equal(verifies({ 'webhook-signature': `v1,AAAA ${headers['webhook-signature'] ?? ''}` }), true);
    assert.equal(verifies({}, `${body} `), false);
    assert.equal(verifies({ 'webhook-id': 'msg_2' }), false);
    assert.equal(verifies({ 'webhook-timestamp': String(Math.floor(now / 1000) + 1) }), false);
    assert.equal(verifies({ 'webhook-timestamp': '' }), false);
    assert.equal(verifies({}, body, now + 301_000), false);
    assert.equal(module.verify('another', headers, body, now), false);
  }
});
