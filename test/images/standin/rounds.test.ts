import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { askMaterial } from './ask/own.ts';
import { Refused } from './ask/refused.ts';
import type { Check, When } from './check.ts';
import { redact, secretsOf } from './redact.ts';
import { type Rounds, startRounds } from './rounds.ts';
import { serviceOfPod } from './self.ts';

const check = (name: string, when: When): Check => ({
  kind: 'http',
  host: `${name}.n.svc`,
  port: 80,
  url: `http://${name}.n.svc/`,
  when,
  from: [name],
});
const PAUSES = { failing: [1], again: 1 };

interface Run {
  rounds: Rounds;
  lines: string[];
  answers: Map<string, Error | undefined>;
  changed: () => Promise<void>;
  stop: () => void;
}

/** Answers can be changed while it runs; `changed` waits until every check was asked twice more. */
function run(checks: Check[], answers: Record<string, Error | undefined> = {}, problems: string[] = []): Run {
  const controller = new AbortController();
  const known = new Map(Object.entries(answers));
  const lines: string[] = [];
  const rounds = startRounds({
    checks,
    problems,
    pauses: PAUSES,
    limits: { refused: 3, failed: 5 },
    signal: controller.signal,
    log: (line) => void lines.push(line),
    isRefusal: (error) => error instanceof Refused,
    words: (error) => (error as Error).message,
    ask: async (asked) => {
      const answer = known.get(asked.from[0]!);
      if (answer) throw answer;
    },
  });
  const changed = async (): Promise<void> => {
    const wanted = rounds.results().map(({ attempts }) => attempts + 2);
    while (rounds.results().some(({ attempts }, index) => attempts < wanted[index]!))
      await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return {
    rounds,
    lines,
    answers: known,
    changed,
    stop: () => {
      controller.abort();
    },
  };
}

test('healthy once everything needed has succeeded; what may come later is only reported', async (t) => {
  const { rounds, answers, changed, stop, lines } = run(
    [check('db', 'always'), check('api', 'start'), check('hook', 'late')],
    { db: new Error('away'), hook: new Error('not yet') },
  );
  t.after(stop);
  assert.equal(rounds.state(), 'starting');
  await changed();
  assert.deepEqual(rounds.failing(), ['http db.n:80 (http://db.n.svc/): away']);
  answers.delete('db');
  await changed();
  assert.equal(rounds.state(), 'healthy');
  assert.deepEqual(
    rounds.results().map(({ target, ok, firstOk }) => [target, ok, firstOk]),
    [
      ['api.n', true, true],
      ['db.n', true, false],
      ['hook.n', false, false],
    ],
  );
  assert.ok(
    lines.some(
      (line) => line.startsWith('failed: http db.n:80') && line.includes('from db') && line.endsWith(': away'),
    ),
  );
});

test('afterwards it stays healthy only while what it always needs works, and one lost answer is no outage', async (t) => {
  const { rounds, answers, changed, stop } = run([check('db', 'always'), check('api', 'start')]);
  t.after(stop);
  await changed();
  assert.equal(rounds.state(), 'healthy');
  answers.set('api', new Error('away'));
  await changed();
  assert.equal(rounds.state(), 'healthy');
  answers.set('db', new Error('away'));
  await changed();
  assert.equal(rounds.state(), 'failing');
  answers.delete('db');
  await changed();
  assert.equal(rounds.state(), 'healthy');
});

test('it gives up sooner where the answer is no', async (t) => {
  const refused = run([check('db', 'always')], { db: new Refused('wrong password') });
  t.after(refused.stop);
  assert.equal(await refused.rounds.gaveUp, 'http db.n:80 (http://db.n.svc/) from db: wrong password');
  assert.equal(refused.rounds.results()[0]!.attempts, 3);
  const away = run([check('db', 'always')], { db: new Error('away') });
  t.after(away.stop);
  await away.rounds.gaveUp;
  assert.equal(away.rounds.results()[0]!.attempts, 5);
});

test('configuration that it does not understand is never healthy, and ends it', async (t) => {
  const { rounds, changed, stop, lines } = run([check('db', 'always')], {}, ['X names another service']);
  t.after(stop);
  await changed();
  assert.equal(rounds.state(), 'starting');
  assert.equal(await rounds.gaveUp, 'configuration: X names another service');
  assert.ok(lines.includes('configuration: X names another service'));
});

test('secrets do not get into words', () => {
  const secrets = secretsOf([
    { kind: 'redis', host: 'h', port: 1, user: '', password: 'p/w', database: 0, when: 'always', from: [] },
    { kind: 'material', name: 'K', value: 'key', when: 'always', from: [] },
  ]);
  assert.equal(redact('no p/w, no p%2Fw,\n  no key', secrets), 'no ***, no ***, no ***');
});

test('keys: there, of the right length, signed by the right key', () => {
  const material =
    (value: string, more: { length?: number; signedWith?: string } = {}) =>
    () => {
      askMaterial({ kind: 'material', name: 'K', value, when: 'always', from: [], ...more });
    };
  assert.doesNotThrow(material('x'));
  assert.throws(material(''), /it is empty/);
  assert.throws(material('x\n'), /white space/);
  assert.throws(material('abc', { length: 32 }), /3 characters, its reader wants 32/);
  const token = `a.b.${createHmac('sha256', 'right').update('a.b').digest('base64url')}`;
  assert.doesNotThrow(material(token, { signedWith: 'right' }));
  assert.throws(material(token, { signedWith: 'wrong' }), /not signed with the key/);
});

test('the service of a pod', () => {
  assert.equal(serviceOfPod('tenant-management-service-7d9c6b8f4-x2k9z'), 'tenant-management-service');
  assert.equal(serviceOfPod('argocd-application-controller-0'), 'argocd-application-controller');
  assert.equal(serviceOfPod('workstation'), 'workstation');
});
