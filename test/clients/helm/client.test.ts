import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endProcess, hasLivingWorker, HelmError } from '../../../src/clients/helm/index.ts';
import { isSameProcessAlive, processIdentity } from '../../../src/process/identity.ts';
import { withFakeHelm } from '../../support/fakes/helm.ts';

const helmErrorOf =
  (type: string, pattern: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof HelmError, String(error));
    assert.equal(error.type, type);
    assert.match(error.message, pattern);
    return true;
  };

describe('Helm client', () => {
  test('calls helm upgrade --install with values on standard input and an environment of its own', async () => {
    await withFakeHelm(async ({ client, request, recorded, stateDir }) => {
      const result = await client.upgrade(request('tracing', { values: 'key: value\n'.repeat(20_000) }));
      assert.equal(result.revision, 1);
      assert.deepEqual((await recorded('tracing', 'args')).trim().split('\n'), [
        'upgrade',
        '--install',
        'tracing',
        '/a/chart',
        '--namespace',
        'ns',
        '--values',
        '-',
        '--labels',
        'ananta-run=r,ananta-service=s',
        '--disable-openapi-validation',
        '--hide-notes',
        '--history-max',
        '0',
        '--timeout',
        '18s',
        '--kubeconfig',
        '/a/kubeconfig',
      ]);
      assert.equal(await recorded('tracing', 'values'), 'key: value\n'.repeat(20_000));
      const env = await recorded('tracing', 'env');
      for (const name of ['HELM_CACHE_HOME', 'HELM_CONFIG_HOME', 'HELM_DATA_HOME', 'KUBECACHEDIR'])
        assert.match(env, new RegExp(`^${name}=${stateDir}/helm/`, 'm'));
      assert.match(env, /^GOGC=off$/m);
      assert.doesNotMatch(env, /^HOME=/m);
    });
  });

  test("context, in-cluster identity and archives of publishers' charts", async () => {
    await withFakeHelm(async ({ another, request, recorded }) => {
      await another({ kubernetes: { kubeconfig: '/k', context: 'staging', inCluster: false } }).upgrade(
        request('a', { chart: '/cache/redis-20.1.0-0123456789ab.tgz' }),
      );
      assert.match(await recorded('a', 'args'), /a\n\/cache\/redis-20.1.0-0123456789ab.tgz\n--namespace/);
      assert.match(await recorded('a', 'args'), /--kube-context\nstaging/);
      await another({ kubernetes: { kubeconfig: '/k', context: 'in-cluster', inCluster: true } }).upgrade(request('b'));
      assert.doesNotMatch(await recorded('b', 'args'), /kube/);
    });
  });

  test('uninstall: the release alone, no error when it is gone, with the same queue, log and way out', async () => {
    await withFakeHelm(async ({ another, behave, order, folder }) => {
      const client = another({ kubernetes: { kubeconfig: '/a/kubeconfig', context: 'staging', inCluster: false } });
      // The stand-in notes its third argument, which is the namespace option here.
      const request = { namespace: 'ns', release: 'tracing', runId: 'r', priority: 1 };
      await client.uninstall(request);
      assert.deepEqual((await readFile(join(folder, '--namespace.args'), 'utf8')).trim().split('\n'), [
        'uninstall',
        'tracing',
        '--namespace',
        'ns',
        '--ignore-not-found',
        '--timeout',
        '18s',
        '--kubeconfig',
        '/a/kubeconfig',
        '--kube-context',
        'staging',
      ]);
      assert.match(await readFile(client.logFile('tracing'), 'utf8'), /^--- \S+ helm uninstall tracing in ns, run r\n/);
      await behave('--namespace', 'echo "Error: uninstall: Failed to purge the release: Unauthorized" >&2; exit 1');
      await assert.rejects(
        client.uninstall(request),
        helmErrorOf('Unreachable', /^helm uninstall tracing in ns: uninstall: Failed/),
      );
      assert.equal((await order()).length, 2);
    });
  });

  test('calls helm rollback: nothing on standard input, conflicts are decided for the release', async () => {
    await withFakeHelm(async ({ client, recorded }) => {
      // The stand-in notes its third argument.
      await client.rollback({ namespace: 'ns', release: 'tracing', revision: 7, runId: 'r', priority: 1 });
      assert.deepEqual((await recorded('7', 'args')).trim().split('\n'), [
        'rollback',
        'tracing',
        '7',
        '--namespace',
        'ns',
        '--server-side=true',
        '--force-conflicts',
        '--history-max',
        '0',
        '--timeout',
        '18s',
        '--kubeconfig',
        '/a/kubeconfig',
      ]);
      assert.equal(await recorded('7', 'values'), '');
      assert.match(
        await readFile(client.logFile('tracing'), 'utf8'),
        /^--- \S+ helm rollback tracing to revision 7 in ns, run r\n/,
      );
    });
  });

  test('output goes to a log of the release, 0600, and nothing else is left behind', async () => {
    await withFakeHelm(async ({ client, request, behave, stateDir }) => {
      await behave('loud', 'echo words; echo more words >&2');
      await client.upgrade(request('loud'));
      const log = client.logFile('loud');
      assert.match(
        await readFile(log, 'utf8'),
        /^--- \S+ helm upgrade --install loud in ns, run r\nwords\nmore words\nREVISION: 1\n$/,
      );
      assert.equal((await stat(log)).mode & 0o777, 0o600);
      assert.deepEqual(await readdir(join(stateDir, 'run', 'helm')), []);
    });
  });

  test('what a chatty Helm says is told in a few lines, all of it is in its log, which does not grow without end', async () => {
    await withFakeHelm(async ({ client, request, behave }) => {
      const log = client.logFile('chatty');
      // On both streams some 12 MiB, then the error, with an object in it.
      await behave(
        'chatty',
        `yes "level=WARN msg=words" | head -c 6000000; yes words | head -c 6000000 >&2
printf 'Error: server-side apply failed for object ns/x /v1, Kind=Service: ' >&2; yes 'y z' | head -c 20000 >&2; exit 1`,
      );
      const before = process.memoryUsage().rss;
      await assert.rejects(client.upgrade(request('chatty')), (error) => {
        assert.ok(error instanceof HelmError);
        assert.match(error.message, /^helm upgrade --install chatty in ns: server-side apply failed for object ns\/x/);
        assert.ok(error.message.endsWith(`(20059 characters, all of them in Helm's log: ${log})`), error.message);
        assert.ok(error.message.length < 1500, String(error.message.length));
        return true;
      });
      assert.ok(process.memoryUsage().rss - before < 8 * 1024 * 1024, 'all of it was read');
      assert.ok((await stat(log)).size > 12_000_000);
      // The next one begins a new log; of the old ones one is kept.
      await behave('chatty', 'true');
      await client.upgrade(request('chatty'));
      assert.ok((await stat(log)).size < 1000);
      assert.ok((await stat(`${log}.1`)).size > 12_000_000);
    });
  });

  test('an error is what this run has said, not an earlier one', async () => {
    await withFakeHelm(async ({ client, request, behave }) => {
      await behave('bad', 'echo "Error: values don\'t meet the specifications of the schema(s)"; exit 1');
      await assert.rejects(
        client.upgrade(request('bad')),
        helmErrorOf('ChartInvalid', /helm upgrade --install bad in ns: values don't meet/),
      );
      await behave('bad', 'echo "Error: kubernetes cluster unreachable: connection refused" >&2; exit 1');
      await assert.rejects(client.upgrade(request('bad')), helmErrorOf('Unreachable', /cluster unreachable/));
    });
  });

  test('few at once, and who has the longest way to go first', async () => {
    await withFakeHelm(
      async ({ client, request, behave, order, folder }) => {
        await behave('first', `while [ ! -f ${folder}/go ]; do sleep 0.01; done`);
        const first = client.upgrade(request('first', { priority: 0 }));
        const rest = [
          ['low', 1],
          ['high', 30],
          ['middle', 7],
        ].map(([name, priority]) => client.upgrade(request(String(name), { priority: Number(priority) })));
        await sleep(50);
        await writeFile(join(folder, 'go'), '');
        await Promise.all([first, ...rest]);
        assert.deepEqual(await order(), ['first', 'high', 'middle', 'low']);
      },
      { concurrency: 1 },
    );
  });

  test('cancelled in the queue: never started', async () => {
    await withFakeHelm(
      async ({ client, request, behave, order }) => {
        await behave('busy', 'sleep 0.2');
        const busy = client.upgrade(request('busy'));
        const controller = new AbortController();
        const queued = client.upgrade(request('queued', { signal: controller.signal }));
        controller.abort(new Error('no longer wanted'));
        await assert.rejects(queued, /no longer wanted/);
        await busy;
        assert.deepEqual(await order(), ['busy']);
      },
      { concurrency: 1 },
    );
  });

  test('cancelled at work: asked to end, and waited for', async () => {
    await withFakeHelm(async ({ client, request, behave, folder }) => {
      await behave(
        'busy',
        `trap 'sleep 0.1; echo "Release busy has been cancelled."; touch ${folder}/ended; exit 1' TERM; touch ${folder}/busy.begun; while :; do sleep 0.01; done`,
      );
      const controller = new AbortController();
      const busy = client.upgrade(request('busy', { signal: controller.signal }));
      while (!(await exists(join(folder, 'busy.begun')))) await sleep(5);
      controller.abort(new Error('stop'));
      await assert.rejects(busy, /stop/);
      assert.ok(await exists(join(folder, 'ended')));
    });
  });

  test('cancelled near its end: may finish, and what it did counts', async () => {
    await withFakeHelm(async ({ another, request, behave, folder }) => {
      await behave(
        'busy',
        `trap 'touch ${folder}/asked' TERM; touch ${folder}/busy.begun; while [ ! -f ${folder}/go ]; do sleep 0.01; done`,
      );
      const controller = new AbortController();
      const busy = another({ finishSeconds: 20 }).upgrade(request('busy', { signal: controller.signal }));
      while (!(await exists(join(folder, 'busy.begun')))) await sleep(5);
      controller.abort(new Error('stop'));
      await sleep(300);
      await writeFile(join(folder, 'go'), '');
      assert.equal((await busy).revision, 1);
      assert.equal(await exists(join(folder, 'asked')), false);
    });
  });

  test("a signal to the worker's terminal does not reach it", { skip: process.platform !== 'linux' }, async () => {
    await withFakeHelm(async ({ client, request, behave, folder }) => {
      await behave('busy', `cut -d' ' -f4-6 /proc/$$/stat > ${folder}/group`);
      await client.upgrade(request('busy'));
      const [parent, group, session] = (await readFile(join(folder, 'group'), 'utf8')).trim().split(' ');
      // Group and session are those of its guard, and of nobody else.
      assert.deepEqual([group, session], [parent, parent]);
    });
  });

  test('killed from outside is an interruption, running out of time too', async () => {
    await withFakeHelm(async ({ client, request, behave, another }) => {
      await behave('killed', 'kill -KILL $$');
      await assert.rejects(client.upgrade(request('killed')), helmErrorOf('HelmInterrupted', /was killed by SIGKILL/));
      await behave('slow', 'sleep 5 & wait');
      await assert.rejects(
        another({ timeoutSeconds: 0.2 }).upgrade(request('slow')),
        helmErrorOf('HelmInterrupted', /was ended after 0.2 s/),
      );
    });
  });

  test('a program that is not there is said', async () => {
    await withFakeHelm(async ({ another, request }) => {
      await assert.rejects(
        another({ binary: '/no/such/helm', env: { PATH: '' } }).upgrade(request('x')),
        helmErrorOf('Unexpected', /\/no\/such\/helm cannot be started/),
      );
    });
  });

  test('a process that outlived its worker is found, told from a later one with its number, and ended', async () => {
    await withFakeHelm(async ({ client, stateDir, another }) => {
      assert.equal(await client.alive('ns', 'left'), undefined);
      const orphan = spawn('sleep', ['30'], { stdio: 'ignore' });
      const identity = (await processIdentity(orphan.pid!))!;
      const record = {
        helm: identity,
        worker: { pid: 1, startToken: 'of an earlier boot' },
        runId: 'r',
        startedAt: new Date().toISOString(),
      };
      await writeFile(join(stateDir, 'run', 'helm', 'ns.left.json'), JSON.stringify(record));
      assert.equal(await client.interrupted('ns', 'left'), undefined);
      const found = await another().alive('ns', 'left');
      assert.equal(found?.helm.pid, orphan.pid);
      assert.equal(await hasLivingWorker(found!), false);
      await endProcess(found!, 5);
      assert.equal(await isSameProcessAlive(identity), false);
      assert.equal(await client.alive('ns', 'left'), undefined);
      assert.equal((await client.interrupted('ns', 'left'))?.helm.pid, orphan.pid);

      await writeFile(
        join(stateDir, 'run', 'helm', 'ns.left.json'),
        JSON.stringify({ ...record, helm: { pid: process.pid, startToken: 'another process' } }),
      );
      assert.equal(await client.alive('ns', 'left'), undefined);
      await writeFile(join(stateDir, 'run', 'helm', 'ns.left.json'), '{"helm": {');
      assert.equal(await client.alive('ns', 'left'), undefined);
    });
  });

  test('while Helm is at work it is on record, with the worker that started it', async () => {
    await withFakeHelm(async ({ client, request, behave, folder }) => {
      await behave('recorded', `touch ${folder}/begun; while [ ! -f ${folder}/go ]; do sleep 0.01; done`);
      const running = client.upgrade(request('recorded'));
      while (!(await exists(join(folder, 'begun')))) await sleep(5);
      // The record follows the start by a moment.
      let found = await client.alive('ns', 'recorded');
      for (; !found; found = await client.alive('ns', 'recorded')) await sleep(5);
      assert.equal(found.worker.pid, process.pid);
      assert.equal(await hasLivingWorker(found), true);
      await writeFile(join(folder, 'go'), '');
      await running;
      assert.equal(await client.alive('ns', 'recorded'), undefined);
    });
  });
});

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
