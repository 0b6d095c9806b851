// Real: the life of an embedded environment, from the first `up` through faults to `down` and purge.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { COMPONENTS, pidFileOf, purge, up } from '../../bootstrap/index.ts';
import { removeFromEtcd } from '../../bootstrap/cluster/node-ports.ts';
import { expectedComponents } from '../../bootstrap/local-stack.ts';
import { NODE_COMPONENTS } from '../../bootstrap/node/index.ts';
import { runningDaemon } from '../../bootstrap/process/daemon.ts';
import { findProcesses } from '../../bootstrap/process/orphans.ts';
import { readPorts } from '../../bootstrap/process/ports.ts';
import { httpGet } from '../../bootstrap/process/probe.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { type Embedded, openEmbedded, withEmbedded } from '../support/embedded.ts';

let embedded: Embedded;
let before_: string;
before(async () => {
  before_ = await homeState();
  embedded = await openEmbedded({ name: 'life', worker: true });
});
after(() => embedded.close());

const pids = async (of: Embedded): Promise<Record<string, number | null>> =>
  Object.fromEntries((await of.states()).map(({ name, pid }) => [name, pid]));
const started = (of: Embedded): string[] =>
  of.events.flatMap((event) => (event.kind === 'component' && event.state === 'starting' ? [event.component] : []));

/** Every process that has anything to do with the environment. */
async function processes(of: Embedded): Promise<number[]> {
  const tools = Object.entries(of.runtime().tools)
    .filter(([name]) => name !== 'kubectl')
    .map(([, path]) => path);
  return (
    await findProcesses({ folder: of.layout.root, programs: [...tools, process.execPath], orEnvironment: true })
  ).map(({ pid }) => pid);
}

/** Files in a user's home that kubectl, Helm, Vault and Go usually write. */
async function homeState(): Promise<string> {
  const paths = [
    '.kube',
    '.kube/config',
    '.kwok',
    '.config/temporalio',
    '.config/helm',
    '.cache/helm',
    '.vault-token',
  ].map((path) => join(homedir(), path));
  return JSON.stringify(
    await Promise.all(
      paths.map((path) =>
        stat(path).then(
          ({ mtimeMs }) => [path, mtimeMs],
          () => [path, 'absent'],
        ),
      ),
    ),
  );
}

async function vaultWorks(of: Embedded): Promise<number> {
  return (await httpGet({ url: `${of.runtime().vault!.address}/v1/sys/health` })).status;
}

async function write(of: Embedded, name: string): Promise<void> {
  const api = await of.api();
  await api.request('POST', '/api/v1/namespaces/default/configmaps', {
    type: 'application/json',
    content: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } },
  });
}

async function has(of: Embedded, name: string): Promise<boolean> {
  return (await of.api()).request('GET', `/api/v1/namespaces/default/configmaps/${name}`).then(
    () => true,
    () => false,
  );
}

const isPartOfNode = (name: string): boolean => (NODE_COMPONENTS as readonly string[]).includes(name);

describe('up', () => {
  test('everything runs and works', async () => {
    const states = await embedded.states();
    assert.deepEqual(
      states.map(({ name }) => name),
      expectedComponents(embedded.environment, embedded.catalog),
    );
    assert.deepEqual(
      states.filter(({ healthy }) => !healthy),
      [],
    );
    for (const { name, version, pid, port } of states) {
      assert.ok(pid! > 0 && version !== '', name);
      if (name !== 'worker') assert.ok(port! > 1024, name);
    }
    assert.equal(await vaultWorks(embedded), 501);
  });

  test('again: nothing is started, nothing changes, in well under a second', async () => {
    // The worker is replaced when its code changes: a checkout somebody works in is no part of this test.
    await embedded.up();
    const was = {
      pids: await pids(embedded),
      runtime: await stat(join(embedded.layout.root, 'runtime.json')).then(({ mtimeMs }) => mtimeMs),
    };
    embedded.events.length = 0;
    // Of the processor, whatever else runs on this machine.
    const before = process.cpuUsage();
    await embedded.up();
    const { user, system } = process.cpuUsage(before);
    assert.ok(user + system < 1_500_000, `${Math.round((user + system) / 1000)} ms`);
    assert.deepEqual(started(embedded), []);
    assert.deepEqual(
      {
        pids: await pids(embedded),
        runtime: await stat(join(embedded.layout.root, 'runtime.json')).then(({ mtimeMs }) => mtimeMs),
      },
      was,
    );
  });

  test('two at once: one starts, the other finds everything running', async () => {
    await embedded.down();
    embedded.events.length = 0;
    await Promise.all([embedded.up(), embedded.up()]);
    assert.deepEqual(started(embedded).sort(), expectedComponents(embedded.environment, embedded.catalog).sort());
  });

  test('listens on loopback only', { skip: process.platform !== 'linux' }, async () => {
    const ours = new Set(await processes(embedded));
    const lines = execFileSync('ss', ['-H', '-ltnp'], { encoding: 'utf8' }).split('\n');
    const listening = lines.filter((line) => [...line.matchAll(/pid=(\d+)/g)].some(([, pid]) => ours.has(Number(pid))));
    assert.ok(listening.length >= 15, `${listening.length} listeners`);
    assert.deepEqual(
      listening.filter((line) => !/\s127\.0\.0\.1:\d+\s/.test(line)),
      [],
    );
  });

  test('the state folder is private', async () => {
    assert.equal((await stat(embedded.layout.root)).mode & 0o077, 0);
    assert.equal((await stat(embedded.layout.kubeconfig)).mode & 0o077, 0);
  });

  test('nothing in the home folder was touched', async () => {
    assert.equal(await homeState(), before_);
  });
});

describe('faults', () => {
  // What only a real node has is tried on one.
  for (const name of COMPONENTS.filter((component) => !isPartOfNode(component))) {
    test(`SIGKILL to ${name}: an attached command starts it again`, async () => {
      const was = (await pids(embedded))[name]!;
      embedded.events.length = 0;
      const stop = embedded.supervise();
      try {
        process.kill(was, 'SIGKILL');
        await waitUntil(
          'its death noticed',
          { timeoutMs: 20_000, intervalMs: 10 },
          async () =>
            embedded.events.some(
              (event) => event.kind === 'component' && event.component === name && event.state === 'died',
            ) || undefined,
        );
        await waitUntil(`${name} again`, { timeoutMs: 60_000 }, async () => {
          const state = (await embedded.states()).find((component) => component.name === name)!;
          return (state.healthy && state.pid !== was) || undefined;
        });
      } finally {
        await stop();
      }
      const now = await pids(embedded);
      assert.notEqual(now[name], was);
      // What the API server had allocated while etcd was away it knows only once it starts again.
      assert.deepEqual(started(embedded), name === 'etcd' ? [name, 'kube-apiserver'] : [name]);
    });
  }

  test('two attached commands: one of them restarts it', async () => {
    embedded.events.length = 0;
    const stops = [embedded.supervise(), embedded.supervise()];
    try {
      process.kill((await pids(embedded))['responder']!, 'SIGKILL');
      await waitUntil(
        'responder again',
        { timeoutMs: 60_000 },
        async () =>
          (started(embedded).includes('responder') && (await embedded.states()).every(({ healthy }) => healthy)) ||
          undefined,
      );
      await sleep(600);
    } finally {
      await Promise.all(stops.map((stop) => stop()));
    }
    assert.deepEqual(started(embedded), ['responder']);
  });

  test('without an attached command: states say so, the next up starts it', async () => {
    const was = await pids(embedded);
    process.kill(was['temporal']!, 'SIGKILL');
    await waitUntil(
      'its end',
      { timeoutMs: 60_000 },
      async () => (await pids(embedded))['temporal'] === null || undefined,
    );
    const state = (await embedded.states()).find(({ name }) => name === 'temporal')!;
    assert.deepEqual(
      { ...state, version: '', port: 0 },
      { name: 'temporal', version: '', pid: null, port: 0, healthy: false, detail: 'not running' },
    );
    embedded.events.length = 0;
    await embedded.up();
    assert.deepEqual(started(embedded), ['temporal']);
    assert.equal((await pids(embedded))['etcd'], was['etcd']);
  });

  test('one that ends while up still waits for others is started again by it', async () => {
    await embedded.down();
    const name = 'kube-controller-manager';
    let killed: number | undefined;
    await up(embedded.environment, embedded.config, (event) => {
      if (event.kind !== 'component' || event.component !== name || event.state !== 'ready' || killed !== undefined)
        return;
      killed = (JSON.parse(readFileSync(pidFileOf(embedded.layout, name), 'utf8')) as { pid: number }).pid;
      process.kill(killed, 'SIGKILL');
    });
    assert.ok(killed !== undefined);
    const state = await waitUntil(`another ${name}`, { timeoutMs: 30_000 }, async () =>
      (await embedded.states()).find((found) => found.name === name && found.healthy && found.pid !== killed),
    );
    assert.ok(state.pid! > 0);
  });

  test('a NodePort that is allocated to nobody is free again once etcd or the API server was started again', async () => {
    const { layout } = embedded;
    const ports = await readPorts(layout.ports);
    const api = await embedded.api();
    const services = '/api/v1/namespaces/default/services';
    const make = (name: string): Promise<unknown> =>
      api.request('POST', services, {
        type: 'application/json',
        content: {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name },
          spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 31_999 }] },
        },
      });
    const stop = embedded.supervise();
    try {
      for (const victim of ['kube-apiserver', 'etcd'] as const) {
        await make(`before-${victim}`);
        // The Service goes without the API server having released its port: the same as one that was never written.
        await removeFromEtcd(ports, `/registry/services/specs/default/before-${victim}`);
        await assert.rejects(make('again'), /provided port is already allocated/);
        process.kill((await runningDaemon(pidFileOf(layout, victim)))!.pid, 'SIGKILL');
        await waitUntil('the port is free', { timeoutMs: 90_000 }, () =>
          make(`after-${victim}`).then(
            () => true as const,
            () => undefined,
          ),
        );
        await api.request('DELETE', `${services}/after-${victim}`);
      }
    } finally {
      await stop();
    }
  });

  test('power cut: everything killed at once, all data there after up', async () => {
    await write(embedded, 'kept');
    const ports = await readPorts(embedded.layout.ports);
    for (const pid of await processes(embedded)) process.kill(pid, 'SIGKILL');
    await waitUntil(
      'the end of all',
      { timeoutMs: 60_000 },
      async () => (await processes(embedded)).length === 0 || undefined,
    );
    // What a power cut leaves, too: pid files that name processes of others by now, and locks of the dead.
    const file = pidFileOf(embedded.layout, 'etcd');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/"pid": \d+/, `"pid": ${process.pid}`));
    await embedded.up();
    assert.deepEqual(
      (await embedded.states()).filter(({ healthy }) => !healthy),
      [],
    );
    assert.deepEqual(await readPorts(embedded.layout.ports), ports);
    assert.equal(await has(embedded, 'kept'), true);
  });

  test('up is killed in the middle of the first start: the next one completes it', async () => {
    await withEmbedded({ name: 'halted', start: false }, async (halted) => {
      const script = `
        import { up } from ${JSON.stringify(new URL('../../bootstrap/index.ts', import.meta.url).href)};
        const { config, environment } = JSON.parse(process.argv[1]);
        await up(environment, config, () => undefined, { worker: false });`;
      const { spawn } = await import('node:child_process');
      for (const milliseconds of [600, 1_800, 3_500]) {
        const child = spawn(
          process.execPath,
          [
            '--input-type=module',
            '-e',
            script,
            JSON.stringify({ config: halted.config, environment: halted.environment }),
          ],
          { stdio: 'ignore' },
        );
        await sleep(milliseconds);
        child.kill('SIGKILL');
      }
      await halted.up();
      assert.deepEqual(
        (await halted.states()).filter(({ name, healthy }) => !healthy && name !== 'worker'),
        [],
      );
      // What the killed ones had started was either adopted or ended.
      const recorded = new Set(Object.values(await pids(halted)).filter((pid) => pid !== null));
      assert.deepEqual(
        (await processes(halted)).filter((pid) => !recorded.has(pid)),
        [],
      );
    });
  });
});

describe('side by side', () => {
  test('a second environment has its own everything, also below a path with blanks', async () => {
    const stateRoot = await mkdtemp(join(tmpdir(), 'ananta tést '));
    await withEmbedded({ name: 'other', stateRoot }, async (other) => {
      assert.deepEqual(
        (await other.states()).filter(({ name, healthy }) => !healthy && name !== 'worker'),
        [],
      );
      const [mine, theirs] = await Promise.all(
        [embedded, other].map(async (each) => Object.values(await readPorts(each.layout.ports))),
      );
      assert.deepEqual(
        mine!.filter((port) => theirs!.includes(port)),
        [],
      );
      await write(other, 'elsewhere');
      assert.equal(await has(embedded, 'elsewhere'), false);
    });
    await rm(stateRoot, { recursive: true });
    assert.deepEqual(
      (await embedded.states()).filter(({ healthy }) => !healthy),
      [],
    );
  });
});

describe('down', () => {
  test('leaves no process, keeps the data; busy ports mean other ports', async () => {
    await write(embedded, 'survivor');
    await embedded.down();
    assert.deepEqual(await processes(embedded), []);
    assert.deepEqual(
      Object.values(await pids(embedded)).filter((pid) => pid !== null),
      [],
    );

    const was = await readPorts(embedded.layout.ports);
    const squatted: ('kube-apiserver' | 'temporal' | 'vault')[] = ['kube-apiserver', 'temporal', 'vault'];
    const squatters = await Promise.all(
      squatted.map(
        (name) =>
          new Promise<ReturnType<typeof createServer>>((resolve) => {
            const server = createServer().listen(was[name], '127.0.0.1', () => {
              resolve(server);
            });
          }),
      ),
    );
    try {
      await embedded.up();
      const now = await readPorts(embedded.layout.ports);
      for (const [name, port] of Object.entries(was))
        assert.equal(now[name] !== port, (squatted as string[]).includes(name), name);
      assert.deepEqual(
        (await embedded.states()).filter(({ healthy }) => !healthy),
        [],
      );
      assert.equal(await has(embedded, 'survivor'), true);
    } finally {
      for (const server of squatters) server.close();
    }
  });

  test('a component that was stopped on purpose is not started again by an attached command', async () => {
    const stop = embedded.supervise();
    await embedded.down();
    embedded.events.length = 0;
    await sleep(800);
    await stop();
    assert.deepEqual(started(embedded), []);
    assert.deepEqual(await processes(embedded), []);
  });

  test('purge removes only what is ours, and only when nothing runs', async () => {
    await embedded.up({ worker: false });
    await assert.rejects(
      purge('life', embedded.config, () => undefined),
      /temporal.*still run.*down --env life/s,
    );
    await embedded.down();
    await writeFile(join(embedded.layout.root, 'notes.txt'), 'mine');
    const { removed, kept } = await purge('life', embedded.config, () => undefined);
    assert.ok(removed.includes('cluster') && removed.includes('vault') && removed.includes('engine'));
    assert.deepEqual(kept, ['notes.txt']);
    assert.deepEqual(await readdir(embedded.layout.root), ['notes.txt']);
  });
});
