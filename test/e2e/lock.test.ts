/**
 * Vault that people unseal, deployments of a part of the platform, and commands that come while the lock is held: one
 * sandbox, from empty to deployed.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clearFailure, failRelease } from '../../bootstrap/cluster/index.ts';
import { type Bystander, bystanderOn } from '../support/sandbox/bystander.ts';
import { clusterOf, factsOf } from '../support/sandbox/cluster-facts.ts';
import {
  type CliRun,
  createSandbox,
  MINI,
  type JsonLine,
  resultOf,
  type ResultLine,
  type Running,
  type Sandbox,
} from '../support/sandbox/sandbox.ts';
import { GPG, type Operators, operators } from '../support/vault/operators.ts';
import { openedByPeople, sharesOf } from './vault-people.ts';

/** People unseal its Vault, where the machine has gpg for their keys. */
let people: Operators | undefined;
let sandbox: Sandbox;
let bystander: Pick<Bystander, 'assertUntouched'>;
before(async () => {
  people = GPG === undefined ? undefined : await operators(['anna', 'ben', 'cleo']);
  sandbox = await createSandbox({ ...MINI, ...(people && sharesOf(people)) });
  const up = await sandbox.look(['up']);
  assert.equal(up.code, 0, up.stderr);
});
after(async () => {
  await sandbox.close();
  await people?.close();
});

/**
 * Whoever deploys this from now on waits for it, and so holds the lock until `letGo`, however long the others' commands
 * take.
 */
const holdOn = (): Promise<void> => sandbox.simulate((api) => failRelease(api, 'web', 'never-ready'));
const letGo = (): Promise<void> => sandbox.simulate((api) => clearFailure(api, 'web'));

const stateIs =
  (name: string, ...states: string[]) =>
  (line: JsonLine): boolean =>
    line.type === 'service' && line['name'] === name && states.includes(String(line['state']));
const says =
  (pattern: RegExp) =>
  (line: JsonLine): boolean =>
    line.type === 'notice' && pattern.test(String(line['message']));
const errorOf = (run: CliRun): string => String(run.lines.find(({ type }) => type === 'error')?.['message']);
const idle = (result: ResultLine): string[] =>
  result.services.filter(({ state }) => state === 'skipped').map(({ name }) => name);

interface Lock {
  operation: string;
  requestedBy: string;
  stalled?: string;
}
async function statusOf(): Promise<{ lock: Lock | null; queued: { requestedBy: string } | null }> {
  return JSON.parse((await sandbox.look(['status', '--json'])).stdout) as {
    lock: Lock | null;
    queued: { requestedBy: string } | null;
  };
}

async function until<T>(attempt: () => Promise<T>, fits: (value: T) => boolean, timeoutMs: number): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await attempt();
    if (fits(value)) return value;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${JSON.stringify(value)}`);
    // Each look is a command.
    await sleep(1000);
  }
}

async function releases(): Promise<string[]> {
  const cluster = await clusterOf(sandbox);
  try {
    return Object.keys((await factsOf(cluster)).releases)
      .map((key) => key.split('/')[1] ?? '')
      .sort();
  } finally {
    cluster.close();
  }
}

describe('lock', { concurrency: 1 }, () => {
  test('what a selected service depends on is not there: refused with both ways on, nothing was started', async () => {
    const run = await sandbox.look(['deploy', '--only', 'auth', '--json']);
    assert.equal(run.code, 3, run.stderr);
    assert.match(errorOf(run), /database \(not there yet\), needed by auth/);
    assert.match(errorOf(run), /--with-dependencies.*or deploy what is missing first: --only /);
    assert.deepEqual(await releases(), []);
    assert.equal((await sandbox.look(['deploy', '--only', 'auht'])).code, 3);
    bystander = await bystanderOn(sandbox);
  });

  test('shares that belong to people: the deployment waits for them by name, goes on when enough have come, and what they gave is stored nowhere', {
    skip: GPG === undefined && 'needs gpg',
  }, async () => {
    assert.ok(people);
    await openedByPeople(sandbox, people);
    await bystander.assertUntouched();
  });

  test('a phase alone; then a service with what it depends on; then without one', async () => {
    const phase = resultOf(await sandbox.look(['deploy', '--phase', '1', '--json']));
    assert.equal(phase.outcome, 'succeeded');
    assert.deepEqual(
      phase.services
        .filter(({ phase: number }) => number !== 1)
        .map(({ state }) => state)
        .filter((state) => state !== 'skipped'),
      [],
    );
    const only = resultOf(await sandbox.look(['deploy', '--only', 'auth', '--with-dependencies', '--json']));
    assert.equal(only.services.find(({ name }) => name === 'auth')?.state, 'healthy');
    assert.ok(idle(only).includes('web'));
    // By now its dependencies are healthy.
    const again = resultOf(await sandbox.look(['deploy', '--only', 'auth', '--json']));
    assert.equal(again.outcome, 'unchanged');
    const rest = resultOf(await sandbox.look(['deploy', '--from', '2', '--skip', 'web,worker', '--json']));
    assert.equal(rest.outcome, 'succeeded');
    assert.ok(!(await releases()).includes('web'));
  });

  test('while the lock is held: the same attaches, refuse and status name the holder, the newest of three requests wins', async () => {
    await holdOn();
    const holder = sandbox.begin(['deploy', '--json']);
    await holder.line(stateIs('web', 'starting'));
    const refused = await sandbox.look(['deploy', '--if-running', 'refuse', '--json']);
    assert.equal(refused.code, 3);
    assert.match(errorOf(refused), /A deployment to "rehearsal" is already running, started by .+@.+, since 20/);

    const second = sandbox.begin(['deploy', '--json']);
    await second.line(({ type }) => type === 'started');

    const waiting: Running[] = [];
    for (const tag of ['9.0.1', '9.0.2', '9.0.3']) {
      const one = sandbox.begin(['deploy', '--image', `worker=${tag}`, '--if-running', 'queue', '--json']);
      waiting.push(one);
      await one.line(says(/Waits for the lock, which is held by a deployment that/));
    }
    const [oldest, older, newest] = waiting.map(({ done }) => done);
    for (const overtaken of [oldest, older]) {
      const run = await overtaken;
      assert.equal(run?.code, 3);
      assert.match(run ? errorOf(run) : '', /A newer request, of .+@.+, took the place/);
    }
    const status = await statusOf();
    assert.equal(status.lock?.operation, 'deploy');
    assert.match(status.queued?.requestedBy ?? '', /@/);
    await letGo();
    const done = resultOf(await holder.done);
    assert.equal(done.outcome, 'succeeded');
    const attached = await second.done;
    assert.equal(attached.lines.find(({ type }) => type === 'started')?.['attached'], true);
    assert.equal(resultOf(attached).workflowId, done.workflowId);
    assert.deepEqual(resultOf(attached).services, done.services);
    const won = await newest;
    assert.ok(won);
    assert.equal(resultOf(won).outcome, 'succeeded');
    assert.deepEqual(
      resultOf(won)
        .services.filter(({ changed }) => changed)
        .map(({ name }) => name),
      ['worker'],
    );
    assert.deepEqual(await statusOf().then(({ lock, queued }) => ({ lock, queued })), { lock: null, queued: null });
  });

  test('a request that was left waiting can be taken back', async () => {
    await holdOn();
    const holder = sandbox.begin(['deploy', '--image', 'web=9.0.0', '--json']);
    await holder.line(stateIs('web', 'starting'));
    const left = await sandbox.look(['deploy', '--if-running', 'queue', '--detach', '--json']);
    assert.equal(left.code, 4, left.stderr);
    const back = await sandbox.look(['cancel', '--queued']);
    assert.equal(back.code, 0, back.stderr);
    assert.match(back.stdout, /was taken back from the queue/);
    assert.match((await sandbox.look(['cancel', '--queued'])).stdout, /Nobody waits for the lock/);
    await letGo();
    assert.equal(resultOf(await holder.done).outcome, 'succeeded');
  });

  test('superseded: the running one ends at a safe point and says by whom, the new one starts', async () => {
    await holdOn();
    const holder = sandbox.begin(['deploy', '--image', 'web=9.0.1', '--json']);
    await holder.line(stateIs('web', 'starting'));
    const began = Date.now();
    const next = sandbox.begin([
      'deploy',
      '--image',
      'worker=9.1.0',
      '--only',
      'worker',
      '--if-running',
      'supersede',
      '--json',
    ]);
    const over = await holder.done;
    assert.ok(Date.now() - began < 60_000, 'it was waited for, not superseded');
    assert.equal(over.code, 5);
    assert.equal(resultOf(over).outcome, 'cancelled');
    assert.match(String(resultOf(over)['supersededBy']), /@/);
    assert.equal(resultOf(await next.done).outcome, 'succeeded');
  });

  // Still nothing lets it become ready.
  test('a holder whose worker is dead or stopped is noticed', async () => {
    const started = await sandbox.look(['deploy', '--image', 'web=9.0.2', '--detach', '--json']);
    assert.equal(started.code, 4, started.stderr);
    const worker = await sandbox.pidOf('worker');
    process.kill(worker, 'SIGSTOP');
    try {
      const { lock } = await until(statusOf, (status) => status.lock?.stalled !== undefined, 30_000);
      assert.match(lock?.stalled ?? '', /is stopped/);
    } finally {
      process.kill(worker, 'SIGCONT');
    }
    await until(statusOf, (status) => status.lock?.stalled === undefined, 30_000);
    process.kill(worker, 'SIGKILL');
    const { lock } = await until(statusOf, (status) => status.lock?.stalled !== undefined, 30_000);
    assert.match(lock?.stalled ?? '', /is dead/);
    const text = await sandbox.look(['status']);
    assert.match(text.stdout, /It does not move: its worker .* is dead/);
    assert.match(text.stdout, /npm run ananta -- up --env rehearsal/);
    await letGo();
    const attached = await sandbox.look(['attach', '--json']);
    assert.equal(resultOf(attached).outcome, 'succeeded');
  });

  test('what others have on the cluster is as it was', () => bystander.assertUntouched());
});
