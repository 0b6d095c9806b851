/** Rehearsals: states that keep changing, a second failure, faults of several operations. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { apiProxy } from '../../../bootstrap/faults/api-proxy.ts';
import { hitterOf } from '../../../bootstrap/faults/hit.ts';
import { strike, type Victim } from '../../../bootstrap/faults/signals.ts';
import { tcpProxy } from '../../../bootstrap/faults/tcp-proxy.ts';
import { openWays, throughWays, type Ways } from '../../../bootstrap/faults/ways.ts';
import type { Layout } from '../../../bootstrap/layout.ts';
import { endedFault } from '../../../src/cli/rehearse/one-run.ts';
import { clearedUp } from '../../../src/cli/rehearse/stage.ts';
import { lookUntilAtRest, lookUntilSame } from '../../../src/cli/rehearse/state.ts';
import { CliError } from '../../../src/cli/shared/failure.ts';
import { EXIT_CODES } from '../../../src/contract/failures.ts';
import { newestRecords } from '../../../src/effects/rehearsal/read-state.ts';
import type { ComparableState } from '../../../src/plan/rehearsal/state.ts';
import { certificates } from '../../support/servers/tls.ts';

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
      // A process that is stopped ends by SIGTERM only after it has been continued.
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

describe('a way that is hit', () => {
  const echo = async (): Promise<{ port: number; close: () => void }> => {
    const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, close: () => server.close() };
  };
  const layout = { root: '/nowhere', run: '/nowhere' } as Layout;
  const at = { service: 'web', state: 'applying' };

  test('is cut, silent or slow for a time and then as before, also when the signal comes meanwhile', async () => {
    const far = await echo();
    const way = await tcpProxy(() => Promise.resolve(far.port));
    const ask = async (): Promise<string> => {
      const socket = connect(way.port, '127.0.0.1');
      try {
        socket.write('x');
        const [answer] = (await once(socket, 'data')) as [Buffer];
        return answer.toString();
      } finally {
        socket.destroy();
      }
    };
    const ways = { apiServer: way, engine: way, answers: () => undefined };
    const hit = hitterOf({ layout, ways, helm: 'helm', signal });
    try {
      assert.equal(await ask(), 'x');
      const cut = new AbortController();
      const cutting = hitterOf({ layout, ways, helm: 'helm', signal: cut.signal })({
        ...{ kind: 'cut', target: 'way to the engine', at, seconds: 600 },
      });
      await assert.rejects(ask());
      cut.abort(new Error('over'));
      await assert.rejects(cutting);
      assert.equal(await ask(), 'x');
      const stalled = hit({ kind: 'stall', target: 'way to the API server', at, seconds: 0.2 });
      const answered = ask();
      assert.ok(((await stalled)?.seconds ?? 0) >= 0.1);
      assert.equal(await answered, 'x');
      const over = new AbortController();
      const long = hitterOf({ layout, ways, helm: 'helm', signal: over.signal })({
        ...{ kind: 'slow', target: 'way to the engine', at, seconds: 60, milliseconds: 60_000 },
      });
      over.abort(new Error('over'));
      await assert.rejects(long);
      assert.equal(await ask(), 'x');
    } finally {
      await way.close();
      far.close();
    }
  });

  test('has other answers until they are given, and none left over where nobody asks', async () => {
    let left = 0;
    const api = {
      port: 0,
      answer: (_: unknown, count: number) => (left = count),
      left: () => left,
      close: () => Promise.resolve(),
    };
    const ways = { apiServer: {}, engine: {}, answers: () => api } as unknown as Ways;
    const fault = { kind: 'answers', target: 'API server', at, answer: 503, count: 2 } as const;
    const given = hitterOf({ layout, ways, helm: 'helm', signal })(fault);
    assert.equal(left, 2);
    left = 0;
    assert.ok(await given);
    const once = hitterOf({ layout, ways, helm: 'helm', signal, askedWithinMs: 1 })(fault);
    left = 1;
    assert.ok(await once, 'one of two was given');
    assert.equal(left, 0);
    assert.equal(await hitterOf({ layout, ways, helm: 'helm', signal, askedWithinMs: 1 })(fault), undefined);
    const over = new AbortController();
    const asked = hitterOf({ layout, ways, helm: 'helm', signal: over.signal })(fault);
    over.abort(new Error('over'));
    await assert.rejects(asked);
    assert.equal(left, 0);
    assert.equal(
      await hitterOf({ layout, ways: { ...ways, answers: () => undefined }, helm: 'helm', signal })(fault),
      undefined,
    );
  });
});

test('the way to the API server lets in only whoever has a certificate of its authority', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ananta-pki-'));
  const { ca, cert, key } = await certificates(folder);
  for (const [name, file] of Object.entries({ 'ca.crt': ca, 'admin.crt': cert, 'admin.key': key }))
    await copyFile(file, join(folder, name));
  const own = { ca: await readFile(ca), cert: await readFile(cert), key: await readFile(key) };
  const far = https.createServer(own, (_request, response) => response.end('there')).listen(0, '127.0.0.1');
  await once(far, 'listening');
  const proxy = await apiProxy(() => (far.address() as AddressInfo).port, folder);
  const asked = (options: https.RequestOptions): Promise<string> =>
    new Promise((resolve, reject) => {
      https
        .get({ host: '127.0.0.1', port: proxy.port, agent: false, ...options }, (answer) => {
          void text(answer).then(resolve, reject);
        })
        .on('error', reject);
    });
  try {
    assert.equal(await asked(own), 'there');
    await assert.rejects(asked({ ca: own.ca }));
  } finally {
    await proxy.close();
    far.close();
    await rm(folder, { recursive: true });
  }
});

test('runtime.json has the addresses of ways as long as they stand; what Vault is told stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ananta-ways-'));
  const layout = { root: folder, run: join(folder, 'run'), ports: join(folder, 'ports.json') } as Layout;
  const kubeconfig = join(folder, 'kubeconfig');
  const server = 'https://127.0.0.1:6443';
  await writeFile(kubeconfig, `server: ${server}\n`);
  const engine = { address: '127.0.0.1:7233', uiAddress: 'http://127.0.0.1:8233' };
  const runtime = { cluster: { kubeconfig, server }, engine, tools: {} };
  try {
    assert.deepEqual(await throughWays(layout, runtime), runtime);
    const ways = await openWays(layout);
    const through = await throughWays(layout, runtime);
    assert.equal(through.engine?.address, `127.0.0.1:${ways.engine.port}`);
    assert.equal(through.cluster?.server, server);
    assert.equal(
      await readFile(through.cluster?.kubeconfig ?? '', 'utf8'),
      `server: https://127.0.0.1:${ways.apiServer.port}\n`,
    );
    await ways.close();
    assert.deepEqual(await throughWays(layout, runtime), runtime);
  } finally {
    await rm(folder, { recursive: true });
  }
});
