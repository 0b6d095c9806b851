/** The page behind the links of notifications, over HTTP, with an engine that says what the test says. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createRedactor } from '../../src/clients/redact.ts';
import type { QuestionState } from '../../src/clients/temporal/questions.ts';
import { UpdateRefusedError } from '../../src/clients/temporal/update.ts';
import { type AnswerClaims, signedToken } from '../../src/effects/notify/answer-links.ts';
import { rateLimit } from '../../src/worker/answers/limit.ts';
import { createAnswerServer } from '../../src/worker/answers/server.ts';

const KEY = 'k'.repeat(32);
const SINCE = '2026-01-01T00:00:00.000Z';
const claims: AnswerClaims = {
  ...{ e: 'prod', w: 'deploy/prod/1', r: 'run-1', t: 'ops', x: 4_000_000_000 },
  ...{ a: 'skip', s: 'web', q: SINCE },
};

const OPEN: QuestionState = {
  state: 'open',
  question: {
    ...{ service: 'web', failure: '<b>no</b> & "image"', since: SINCE },
    ...{ until: '2026-01-01T02:00:00.000Z', then: 'stop' },
  },
};

/** What the engine says. */
let state: QuestionState = OPEN;
let refusal: string | undefined;
const sent: unknown[] = [];
const said: string[] = [];

let server: ReturnType<typeof createAnswerServer>;
let base: string;
before(async () => {
  server = createAnswerServer({
    environment: 'prod',
    operations: {
      question: (_run, { since }) => Promise.resolve(since === SINCE ? state : { state: 'answered' }),
      isRunning: () => Promise.resolve(state.state !== 'over'),
      steer: (run, request) => {
        if (refusal !== undefined) return Promise.reject(new UpdateRefusedError(refusal));
        sent.push([run, request]);
        return Promise.resolve({ intervention: { ...request, when: SINCE }, text: 'web is skipped.' });
      },
    },
    url: 'https://answers.example',
    key: () => Promise.resolve(KEY),
    redactor: createRedactor(),
    say: (text) => said.push(text),
    limit: rateLimit({ each: 1000, all: 1000, windowSeconds: 60 }),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});
function anew(): void {
  [state, refusal] = [OPEN, undefined];
  sent.length = 0;
}

const link = (more: Partial<AnswerClaims> = {}, key = KEY): string =>
  `${base}/answer/${signedToken(key, { ...claims, ...more })}`;

async function proofOf(url: string): Promise<string> {
  const page = await (await fetch(url)).text();
  return /name="proof" value="([^"]+)"/.exec(page)?.[1] ?? '';
}

function post(url: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', body: new URLSearchParams(fields), headers });
}

describe('a link', () => {
  beforeEach(anew);
  test('shows what is asked and what the answer does, and nothing is answered by looking', async () => {
    for (const method of ['GET', 'HEAD', 'GET']) {
      const answer = await fetch(link(), { method });
      const page = await answer.text();
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'none'.*form-action 'self'/);
      assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
      if (method === 'HEAD') continue;
      assert.match(page, /web failed on prod: Skip web\?/);
      assert.match(page, /&lt;b&gt;no&lt;\/b&gt; &amp; &quot;image&quot;/, 'escaped');
      assert.match(page, /web is left out/);
      assert.doesNotMatch(page, /https?:\/\/|src=/, 'no address outside');
    }
    assert.deepEqual(sent, []);
  });

  test('answers by the form of its page: the same update as the command, on record as given by a link', async () => {
    const url = link();
    const answer = await post(url, { proof: await proofOf(url), reason: ' known\nto be broken ' });
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /web is skipped\./);
    const by = 'signed link (notification to ops)';
    assert.deepEqual(sent, [
      [
        { workflowId: 'deploy/prod/1', runId: 'run-1' },
        { verb: 'skip', service: 'web', question: SINCE, by, reason: 'known to be broken' },
      ],
    ]);
    assert.ok(!said.some((line) => line.includes('/answer/') || line.includes(url.slice(-20))), said.join('\n'));
  });

  test('is not answered by what no page has sent', async () => {
    const url = link();
    const proof = await proofOf(url);
    const others: Promise<Response>[] = [
      post(url, {}),
      post(url, { proof: await proofOf(link({ a: 'retry' })) }),
      post(url, { proof }, { origin: 'https://evil.example' }),
      post(url, { proof }, { 'sec-fetch-site': 'cross-site' }),
      post(url, { proof, reason: 'x'.repeat(5000) }),
    ];
    assert.deepEqual(
      (await Promise.all(others)).map((answer) => answer.status),
      [403, 403, 403, 403, 403],
    );
    assert.deepEqual(sent, []);
    const fromThePage = { origin: 'https://answers.example', 'sec-fetch-site': 'same-origin' };
    assert.equal((await post(url, { proof }, fromThePage)).status, 200);
  });

  for (const [what, more, key, found, wanted, words] of [
    ['forged', {}, 'x'.repeat(32), OPEN, 403, /not valid/],
    ['expired', { x: 1 }, KEY, OPEN, 410, /has expired/],
    ['of another environment', { e: 'dev' }, KEY, OPEN, 403, /another environment/],
    ['of a workflow that is no operation', { w: 'deploy/prod/1/phase-01' }, KEY, OPEN, 403, /another environment/],
    ['of an operation that has ended', {}, KEY, { state: 'over' }, 410, /operation has ended/],
    ['of an earlier question about the same', { q: '2025-12-31T23:00:00Z' }, KEY, OPEN, 410, /answered/],
  ] as const)
    test(`that is ${what} says so, looked at or sent`, async () => {
      const proof = await proofOf(link());
      state = found;
      const url = link(more, key);
      for (const answer of [await fetch(url), await post(url, { proof })]) {
        assert.equal(answer.status, wanted);
        assert.match(await answer.text(), words);
      }
      assert.deepEqual(sent, []);
    });

  test('of a question that somebody has answered names who, and how', async () => {
    state = { state: 'answered', verb: 'retry', by: 'ops@host', when: '2026-01-01T00:05:00.000Z' };
    const answer = await fetch(link());
    assert.equal(answer.status, 410);
    assert.match(await answer.text(), /retry by ops@host, at 2026-01-01T00:05/);
  });

  test('of two at the same moment one is taken: the operation itself refuses the other', async () => {
    const url = link();
    const proof = await proofOf(url);
    refusal = 'The question about web is answered already';
    const answer = await post(url, { proof });
    assert.equal(answer.status, 409);
    assert.match(await answer.text(), /answered already/);
  });

  test('of a gate opens none: it shows the command', async () => {
    const gate: Partial<AnswerClaims> = { a: 'look', s: undefined, q: undefined, g: 'approval', d: '0123456789abcdef' };
    const url = link(gate);
    const page = await fetch(url);
    assert.equal(page.status, 200);
    const text = await page.text();
    assert.match(text, /approve --env prod --digest 0123456789abcdef/);
    assert.doesNotMatch(text, /<form/);
    assert.equal((await post(url, { proof: await proofOf(link()) })).status, 405);
    assert.deepEqual(sent, []);
  });

  test('elsewhere there is nothing, and nothing else is done', async () => {
    const found = [await fetch(base), await fetch(`${base}/answer/`), await fetch(link(), { method: 'DELETE' })];
    assert.deepEqual(
      found.map((answer) => answer.status),
      [404, 404, 405],
    );
  });
});

test('so many requests in a while are answered, of one and of all', () => {
  let now = 0;
  const limit = rateLimit({ each: 2, all: 3, windowSeconds: 60, now: () => now });
  const taken = ['a', 'a', 'a', 'b', 'c'].map((address) => limit.take(address));
  // The third request of a is refused, and leaves the third of all to b.
  assert.deepEqual(taken, [undefined, undefined, 60, undefined, 60]);
  now = 60_000;
  assert.equal(limit.take('a'), undefined);
});

test('the limit of all requests holds also for so many addresses as nobody keeps count of', () => {
  const limit = rateLimit({ each: 2, all: 3, windowSeconds: 60, now: () => 0 });
  const taken = Array.from({ length: 20_000 }, (_, at) => limit.take(`address ${at}`));
  assert.equal(taken.filter((seconds) => seconds === undefined).length, 3);
});
