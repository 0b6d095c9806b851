import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Notification } from '../../../src/contract/notifications.ts';
import { signatureHeaders } from '../../../src/effects/notify/signature.ts';
import { formatted } from '../../../src/plan/notify/format.ts';

const told: Notification = {
  id: 'msg_1',
  event: 'failure',
  environment: 'prod',
  operation: 'deploy',
  title: 'Failed <b> & more',
  lines: ['api: a > b', 'web: x'],
  workflowId: 'deploy/prod/1',
  runId: 'run-1',
  url: 'https://ui.example/run',
  at: '2026-01-01T00:00:00.000Z',
};

test('JSON is what is told, as it is', () => {
  assert.deepEqual(JSON.parse(formatted('json', told)), told);
});

test('what was there before targets gets the fields and the words of that time', () => {
  const earlier = (event: Notification['event'], operation?: string): Record<string, unknown> => {
    const { operation: _, ...rest } = told;
    const notification = { ...rest, event, ...(operation === undefined ? {} : { operation }) };
    return JSON.parse(formatted('json', notification, { earlier: true })) as Record<string, unknown>;
  };
  const { id: _id, operation: _operation, event: _event, ...rest } = told;
  assert.deepEqual(earlier('failure', 'deploy'), { ...rest, event: 'deploy-failed' });
  const names: [Notification['event'], string | undefined, string][] = [
    ['failure', undefined, 'deploy-failed'],
    ['failure', 'rollback', 'failure'],
    ['repair', undefined, 'drift'],
    ['gate', 'deploy', 'gate'],
  ];
  for (const [event, operation, name] of names) assert.equal(earlier(event, operation)['event'], name);
});

test('Slack gets its own marks escaped, and a link', () => {
  const { text, blocks } = JSON.parse(formatted('slack', told)) as {
    text: string;
    blocks: { text: { text: string } }[];
  };
  assert.equal(text, 'Failed &lt;b&gt; &amp; more');
  assert.deepEqual(
    blocks.map((block) => block.text.text),
    ['*Failed &lt;b&gt; &amp; more*', 'api: a &gt; b\nweb: x', '<https://ui.example/run|Temporal UI>'],
  );
  // Slack refuses blocks of 3000 characters.
  const long = formatted('slack', { ...told, title: 't', lines: ['x'.repeat(9000)] });
  assert.ok(long.length < 3300, String(long.length));
});

test('Teams gets a card', () => {
  const { attachments } = JSON.parse(formatted('teams', told)) as {
    attachments: { contentType: string; content: { body: { text: string }[]; actions: { url: string }[] } }[];
  };
  assert.equal(attachments[0]?.contentType, 'application/vnd.microsoft.card.adaptive');
  assert.deepEqual(
    attachments[0]?.content.body.map(({ text }) => text),
    ['Failed <b> & more', 'api: a > b', 'web: x'],
  );
  assert.equal(attachments[0]?.content.actions[0]?.url, 'https://ui.example/run');
});

test('a signature is that of the Standard Webhooks specification', () => {
  const body = '{"event_type":"ping","data":{"success":true}}';
  assert.deepEqual(signatureHeaders('whsec_plJ3nmyCDGBKInavdOK15jsl\n', 'msg_loFOjxBNrRLzqYUf', 1731705121, body), {
    'webhook-id': 'msg_loFOjxBNrRLzqYUf',
    'webhook-timestamp': '1731705121',
    'webhook-signature': 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
  });
});

test('links are a line of Slack, actions of Teams, and part of the JSON; not of what was there before targets', () => {
  const answers = [{ answer: 'retry', label: 'Try <web> again', url: 'https://a.example/answer/x.y' }];
  const asked = { ...told, answers };
  assert.deepEqual((JSON.parse(formatted('json', asked)) as typeof asked).answers, answers);
  assert.ok(formatted('slack', asked).includes('<https://a.example/answer/x.y|Try &lt;web&gt; again>'));
  const { attachments } = JSON.parse(formatted('teams', asked)) as {
    attachments: { content: { actions: object[] } }[];
  };
  assert.deepEqual(attachments[0]?.content.actions, [
    { type: 'Action.OpenUrl', title: 'Try <web> again', url: 'https://a.example/answer/x.y' },
    { type: 'Action.OpenUrl', title: 'Temporal UI', url: 'https://ui.example/run' },
  ]);
  assert.ok(!formatted('json', asked, { earlier: true }).includes('answer'));
});
