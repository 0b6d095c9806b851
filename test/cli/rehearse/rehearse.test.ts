/** What a rehearsal does about states that do not come to rest, what fails twice, faults of several operations. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, test } from 'node:test';
import { strike, type Victim } from '../../../bootstrap/faults/signals.ts';
import { endedFault } from '../../../src/cli/rehearse/one-run.ts';
import { clearedUp } from '../../../src/cli/rehearse/stage.ts';
import { lookUntilAtRest, lookUntilSame } from '../../../src/cli/rehearse/state.ts';
import { CliError } from '../../../src/cli/shared/failure.ts';
import { EXIT_CODES } from '../../../src/contract/failures.ts';
import { newestRecords } from '../../../src/effects/rehearsal/read-state.ts';
import type { ComparableState } from '../../../src/plan/rehearsal/state.ts';

const { signal } = new AbortController();
/** Longer than a busy machine takes for a few looks. */
const patient = { signal, settlesMs: 60_000, everyMs: 1 };
const hasty = { ...patient, settlesMs: 30 };

describe('the state after a run', () => {
  let looks = 0;
  const counting = (from: (look: number) => number) => (): Promise<ComparableState> => {
    looks += 1;
    return Promise.resolve({ 'Deployment apps/web': { ready: from(looks) }, 'Service apps/web': { port: 80 } });
  };

  test('is taken once two looks have seen the same', async () => {
    looks = 0;
    const { state, restless } = await lookUntilAtRest(
      counting((look) => Math.min(look, 3)),
      patient,
    );
    assert.deepEqual(state['Deployment apps/web'], { ready: 3 });
    assert.deepEqual(restless, []);
  });

  test('that still moves when the time is up is said to, field by field', async () => {
    looks = 0;
    const { restless } = await lookUntilAtRest(
      counting((look) => look),
      hasty,
    );
    assert.deepEqual(restless, [{ subject: 'Deployment apps/web', path: 'ready', expected: looks - 1, found: looks }]);
  });

  test('that was seen once alone is not at rest either', async () => {
    const once = await lookUntilAtRest(
      counting(() => 1),
      { ...hasty, settlesMs: -1 },
    );
    assert.equal(once.restless.length, 2);
  });

  test('may come to be that of the undisturbed run, or not; a look that fails is made again', async () => {
    const expected = await counting(() => 3)();
    looks = 0;
    const failing = (): Promise<ComparableState> =>
      looks++ === 0 ? Promise.reject(new Error('away')) : counting((look) => Math.min(look, 3))();
    assert.deepEqual(await lookUntilSame(failing, expected, patient), []);
    const differences = await lookUntilSame(
      counting(() => 2),
      expected,
      hasty,
    );
    assert.deepEqual(differences, [{ subject: 'Deployment apps/web', path: 'ready', expected: 3, found: 2 }]);
  });
});

describe('what is cleared up afterwards', () => {
  const work = new CliError('the beginning did not come up', { exitCode: EXIT_CODES.refused });

  test('does not hide why the rehearsal failed', async () => {
    await assert.rejects(
      clearedUp(
        () => Promise.reject(work),
        () => Promise.reject(new Error('EBUSY')),
        '/state/rehearsals/x',
      ),
      (error: CliError) => {
        assert.match(error.message, /^the beginning did not come up\n.*\/state\/rehearsals\/x is not put down: EBUSY$/);
        assert.equal(error.exitCode, EXIT_CODES.refused);
        assert.equal(error.cause, work);
        return true;
      },
    );
  });

  test('is told where it alone fails, and is done whatever the work does', async () => {
    let cleared = 0;
    const clear = (): Promise<void> => Promise.resolve(void (cleared += 1));
    assert.equal(await clearedUp(() => Promise.resolve(1), clear, ''), 1);
    await assert.rejects(
      clearedUp(() => Promise.reject(work), clear, ''),
      (error) => error === work,
    );
    assert.equal(cleared, 2);
    await assert.rejects(
      clearedUp(
        () => Promise.resolve(1),
        () => Promise.reject(new Error('EBUSY')),
        '/x',
      ),
      (error: CliError) => error.exitCode === EXIT_CODES.failed && /not put down: EBUSY/.test(error.message),
    );
  });
});

test("a fault's end is that of its own operation", () => {
  const fault = { target: 'worker', kind: 'kill', at: { service: 'web', state: 'applying', operation: 2 } } as const;
  const hit = { pid: 1, at: 0, seconds: 1 };
  const ends = ['healthy', 'restored', 'unchanged'].map((state) => new Map([['web', state]]));
  assert.match(endedFault(fault, hit, ends).ended, /web ended restored$/);
  assert.match(
    endedFault({ ...fault, at: { service: 'web', state: 'applying' } }, hit, ends).ended,
    /web ended healthy$/,
  );
  assert.doesNotMatch(endedFault({ ...fault, at: { ...fault.at, operation: 4 } }, hit, ends).ended, /web ended/);
});

test("of Helm's records the newest of each release are unpacked, by number and not by text", () => {
  const record = (name: string, version: string, namespace = 'apps'): Parameters<typeof newestRecords>[0][number] => ({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: `sh.helm.release.v1.${name}.v${version}`,
      namespace,
      uid: '',
      resourceVersion: '1',
      labels: { name, version },
    },
  });
  const other = { ...record('x', '1'), type: 'Opaque' };
  const all = [record('web', '9'), record('web', '10'), record('web', '2'), record('web', '1', 'data'), other];
  assert.deepEqual(
    newestRecords(all).map(({ metadata }) => `${metadata.namespace} ${metadata.labels?.['version']}`),
    ['apps 10', 'data 1'],
  );
});

describe('a process that is hit', () => {
  const sleeper = (): { victim: Victim; pid: number; end: () => void } => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
    const pid = child.pid ?? 0;
    return {
      victim: { name: 'x', pid: () => Promise.resolve(pid), isKept: false },
      pid,
      end: () => child.kill('SIGKILL'),
    };
  };

  test('goes on after a stop, also when the signal comes meanwhile', async () => {
    const { victim, pid, end } = sleeper();
    try {
      const hit = await strike(victim, { kind: 'stop', seconds: 0.01 }, { signal });
      assert.ok(hit?.pid === pid && hit.seconds !== undefined);
      const over = new AbortController();
      const stopped = strike(victim, { kind: 'stop', seconds: 60 }, { signal: over.signal });
      over.abort(new Error('over'));
      await assert.rejects(stopped);
      // Whoever stands still does not end by SIGTERM before it goes on.
      process.kill(pid, 'SIGTERM');
    } finally {
      end();
    }
  });

  test('is killed for good where nobody starts another one; what is not there is not hit', async () => {
    const { victim, end } = sleeper();
    try {
      const hit = await strike(victim, { kind: 'kill' }, { signal });
      assert.ok(hit !== undefined && hit.seconds === undefined);
    } finally {
      end();
    }
    const nobody = { ...victim, pid: () => Promise.resolve(undefined) };
    assert.equal(await strike(nobody, { kind: 'kill' }, { signal, appearsMs: 1 }), undefined);
  });

  test('that is kept is waited for until another one runs', async () => {
    const [first, second] = [sleeper(), sleeper()];
    try {
      let looks = 0;
      const victim = {
        ...first.victim,
        isKept: true,
        pid: () => Promise.resolve(looks++ < 3 ? first.pid : second.pid),
      };
      const hit = await strike(victim, { kind: 'kill' }, { signal });
      assert.ok(hit?.pid === first.pid && hit.seconds !== undefined && looks >= 4);
    } finally {
      first.end();
      second.end();
    }
  });
});
