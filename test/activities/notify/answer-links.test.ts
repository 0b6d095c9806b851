/** Links that answer a question: valid for one answer, and refused when forged, expired or of another kind. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Asks, Notification } from '../../../src/contract/notifications.ts';
import {
  type AnswerClaims,
  answerLinks,
  checkedKey,
  formProof,
  isFormProof,
  readToken,
  signedToken,
  withoutLinks,
} from '../../../src/effects/notify/answer-links.ts';

const KEY = 'k'.repeat(32);
const NOW = Date.parse('2026-01-01T00:00:00Z');
const question: Asks = {
  kind: 'question',
  service: 'web',
  since: '2026-01-01T00:00:00.000Z',
  until: '2026-01-01T02:00:00.000Z',
  then: 'stop',
};
const told = (asks?: Asks): Notification => ({
  id: 'msg_1',
  event: 'question',
  environment: 'prod',
  title: 'web failed',
  lines: [],
  workflowId: 'deploy/prod/1',
  runId: 'run-1',
  at: '2026-01-01T00:00:00.000Z',
  ...(asks ? { asks } : {}),
});
const tokenOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1);
const claims: AnswerClaims = { e: 'prod', w: 'deploy/prod/1', r: 'run-1', t: 'ops', x: NOW / 1000 + 60, a: 'retry' };

describe('links of a notification', () => {
  test('one for each answer, bound to operation, question, answer, target and time', () => {
    const links = answerLinks(KEY, 'https://answers.example/', 'ops', told(question), NOW);
    assert.deepEqual(
      links.map(({ answer, url }) => [answer, url.startsWith('https://answers.example/answer/')]),
      ['retry', 'skip', 'abandon-stop', 'abandon-continue', 'abandon-rollback'].map((answer) => [answer, true]),
    );
    const x = Date.parse(question.until) / 1000;
    const bound = { e: 'prod', w: 'deploy/prod/1', r: 'run-1', t: 'ops', x, a: 'skip', s: 'web', q: question.since };
    assert.deepEqual(readToken(KEY, tokenOf(links[1]?.url ?? ''), NOW), { claims: bound });
  });

  test('of a gate there is one, to look at', () => {
    const gate: Asks = { kind: 'gate', gate: 'approval', digest: '0123456789abcdef', until: question.until };
    const links = answerLinks(KEY, 'https://a.example', 'ops', told(gate), NOW);
    assert.deepEqual(
      links.map(({ answer }) => answer),
      ['look'],
    );
  });

  test('none where nothing is asked, or its time is over when it is told', () => {
    assert.deepEqual(answerLinks(KEY, 'https://a.example', 'ops', told(), NOW), []);
    assert.deepEqual(answerLinks(KEY, 'https://a.example', 'ops', told(question), Date.parse(question.until)), []);
  });

  test('are hidden in what is kept', () => {
    const url = `https://a.example/answer/${signedToken(KEY, claims)}`;
    assert.equal(withoutLinks(`got {"url":"${url}"}`), 'got {"url":"https://a.example/answer/…"}');
  });
});

describe('a token', () => {
  const good = signedToken(KEY, claims);
  const [body = '', signature = ''] = good.split('.');
  const other = Buffer.from(JSON.stringify({ ...claims, a: 'skip' })).toString('base64url');
  const unknown = signedToken(KEY, { ...claims, a: 'approve' as 'skip' });
  for (const [what, key, token] of [
    ['signed with another key', 'x'.repeat(32), good],
    ['with another answer under the same signature', KEY, `${other}.${signature}`],
    ['without a signature', KEY, `${body}.`],
    ['of the body alone', KEY, body],
    ['with a longer signature', KEY, `${good}AAAA`],
    ['with a third part', KEY, `${good}.x`],
    ['that is nothing', KEY, ''],
    ['that is endless', KEY, `${'a'.repeat(3000)}.${signature}`],
    ['that proves a form', KEY, `${body}.${formProof(KEY, body)}`],
    ['for an answer that there is not', KEY, unknown],
  ] as const)
    test(`${what} is forged`, () => {
      assert.deepEqual(readToken(key, token, NOW), { wrong: 'forged' });
    });

  test('is good until its time is over', () => {
    assert.ok('claims' in readToken(KEY, good, NOW + 59_999));
    assert.deepEqual(readToken(KEY, good, NOW + 60_000), { wrong: 'expired' });
  });

  test('is no proof of a form, and a proof is of one token alone', () => {
    assert.ok(isFormProof(KEY, good, formProof(KEY, good)));
    for (const proof of [signature, formProof(KEY, `${good}x`), formProof('y'.repeat(32), good), ''])
      assert.ok(!isFormProof(KEY, good, proof));
  });

  test('is made with no key that could be guessed', () => {
    assert.equal(checkedKey(`${KEY}\n`), KEY);
    assert.throws(() => checkedKey('secret'), /notify\.links\.key is shorter than 32/);
  });
});
