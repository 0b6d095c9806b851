import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../../../bootstrap/process/wait.ts';
import { unlockRelease, type Unlocking } from '../../../src/effects/release/recover.ts';
import { createHelmClient, type HelmClient } from '../../../src/clients/helm/index.ts';
import { ownerLabel, whereabouts } from '../../../src/process/owner.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { type FakeHelm, withFakeHelm } from '../../support/fakes/helm.ts';

const LINUX = { skip: process.platform !== 'linux' };
const PATH = '/api/v1/namespaces/ns/secrets/sh.helm.release.v1.api.v1';

function pendingBy({ cluster }: FakeParts, owner: string, run = 'run-1'): void {
  cluster.objects.set(PATH, {
    metadata: {
      name: 'sh.helm.release.v1.api.v1',
      namespace: 'ns',
      uid: 'uid-1',
      resourceVersion: '1',
      labels: {
        owner: 'helm',
        name: 'api',
        version: '1',
        status: 'pending-install',
        modifiedAt: String(Math.floor(Date.now() / 1000)),
        'ananta-run': run,
        'ananta-owner': owner,
        'ananta-environment': 'sandbox',
      },
    },
  });
}

interface Other {
  worker: ChildProcess;
  owner: string;
  /** The Helm process that it has started, if it still runs, found by its process id. */
  helm: () => ReturnType<HelmClient['startedBy']>;
  /** The same, found by the label of its environment, without knowing which worker started it. */
  find: (clusterUid: string) => ReturnType<HelmClient['alive']>;
  fake: FakeHelm;
  settle: (how?: Unlocking, runId?: string) => ReturnType<typeof unlockRelease>;
}

/**
 * Another worker of this machine, of another checkout, whose Helm is at work on the release; and a run of ours that
 * wants it, too.
 */
async function besideAnother(
  script: (helm: FakeHelm) => string,
  work: (other: Other, parts: FakeParts) => Promise<void>,
): Promise<void> {
  await withFakeHelm(async (helm) => {
    await helm.behave('api', script(helm));
    const folder = await mkdtemp(join(tmpdir(), 'other-state-'));
    const program = new URL('../../support/workers/helm-worker.ts', import.meta.url).pathname;
    const worker = spawn(process.execPath, [...process.execArgv, program, join(helm.folder, 'helm'), folder, 'uid'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = (await once(worker.stdout, 'data')) as [Buffer];
      const owner = line.toString().trim();
      await withFakeClients(async (parts) => {
        const mine: HelmClient = createHelmClient({
          binary: 'helm',
          stateDir: helm.stateDir,
          concurrency: 1,
          timeoutSeconds: 60,
          env: {},
          kubernetes: { kubeconfig: '/a/kubeconfig', inCluster: false },
        });
        const clients = { ...parts.clients, helm: mine };
        const startedBy = (): ReturnType<HelmClient['startedBy']> => mine.startedBy(owner, 'ns', 'api');
        await waitUntil('its Helm', { timeoutMs: 60_000 }, startedBy);
        pendingBy(parts, owner);
        await work(
          {
            worker,
            owner,
            helm: startedBy,
            find: (clusterUid) => mine.alive('ns', 'api', clusterUid),
            fake: helm,
            settle: (how, runId = parts.run.runId) =>
              unlockRelease(
                clients,
                { ...parts.run, runId },
                { namespace: 'ns', name: 'api' },
                'digest',
                new AbortController().signal,
                how,
              ),
          },
          parts,
        );
      });
    } finally {
      worker.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    }
  });
}

describe('two workers of one machine, each with its own state folder', LINUX, () => {
  test('one that is stopped while its Helm is at work is not stolen from; killed, its Helm is ended and the release recovered', async () => {
    await besideAnother(
      ({ folder }) =>
        `trap 'sleep 0.3; touch ${folder}/ended; exit 1' TERM; touch ${folder}/begun; while :; do sleep 0.01; done`,
      async ({ worker, owner, helm, settle, fake }, { cluster }) => {
        await noted(fake, 'begun');
        assert.equal(await whereabouts(owner, undefined), 'here');
        worker.kill('SIGSTOP');
        await assert.rejects(settle(), {
          type: 'ReleaseBusy',
          message: new RegExp(
            `Helm \\(process \\d+, since [^)]+\\) is at work on ns/api for worker ${worker.pid} of this machine, which lives`,
          ),
        });
        assert.deepEqual(cluster.removed, []);

        worker.kill('SIGKILL');
        await once(worker, 'exit');
        assert.equal(await whereabouts(owner, undefined), 'gone');
        const started = Date.now();
        const { revision } = await settle();
        assert.deepEqual([revision, cluster.removed, await helm()], [undefined, [PATH], undefined]);
        assert.ok(Date.now() - started < 25_000);
      },
    );
  });

  /** Runs until the test ends it, and then records that it is done; notes whether it was asked to end. */
  const untilTold = ({ folder }: FakeHelm): string =>
    `trap 'touch ${folder}/asked; exit 1' TERM; touch ${folder}/listens; while [ ! -f ${folder}/go ]; do sleep 0.01; done`;
  const tell = async ({ folder }: FakeHelm, { cluster }: FakeParts): Promise<void> => {
    cluster.objects.get(PATH)!.metadata.labels!['status'] = 'deployed';
    await writeFile(join(folder, 'go'), '');
  };
  const has = (folder: string, file: string): Promise<boolean> =>
    access(join(folder, file)).then(
      () => true,
      () => false,
    );
  /** Waits until the script has written this mark. */
  const noted = ({ folder }: FakeHelm, file: string): Promise<true> =>
    waitUntil(file, { timeoutMs: 60_000 }, async () => (await has(folder, file)) || undefined);
  const wasAsked = ({ folder }: FakeHelm): Promise<boolean> => has(folder, 'asked');

  for (const [what, runId, digest] of [
    ['by the same run', 'run-1', 'another'],
    ['with the same content, by a run that has ended', 'run-2', 'digest'],
  ] as const)
    test(`killed, while its Helm applies what is wanted (${what}): that finishes, and is waited for`, async () => {
      await besideAnother(untilTold, async ({ worker, helm, settle, fake }, parts) => {
        parts.cluster.objects.get(PATH)!.metadata.labels!['ananta-digest'] = digest;
        worker.kill('SIGKILL');
        await once(worker, 'exit');
        const settled = settle({ letFinish: true }, runId);
        await sleep(300);
        assert.notEqual(await helm(), undefined);
        await tell(fake, parts);
        const { revision, finished, recovered } = await settled;
        assert.deepEqual([revision?.status, finished, parts.cluster.removed], ['deployed', true, []]);
        assert.match(recovered ?? '', /a Helm that outlived its worker \(process \d+\) has finished/);
        assert.deepEqual([await helm(), await wasAsked(fake)], [undefined, false]);
      });
    });

  test('killed, while its Helm applies something else: that is asked to end', async () => {
    await besideAnother(untilTold, async ({ worker, settle, fake }, { cluster }) => {
      await noted(fake, 'listens');
      worker.kill('SIGKILL');
      await once(worker, 'exit');
      const { finished } = await settle({ letFinish: true }, 'run-2');
      assert.deepEqual([finished, cluster.removed, await wasAsked(fake)], [false, [PATH], true]);
    });
  });

  test('killed, before its Helm has written anything: found by the next attempt, in its own cluster alone', async () => {
    await besideAnother(untilTold, async ({ worker, owner, settle, fake, find }, parts) => {
      parts.cluster.objects.delete(PATH);
      worker.kill('SIGKILL');
      await once(worker, 'exit');
      assert.deepEqual(await settle({ letFinish: true }), { revision: undefined, finished: false });
      assert.equal(await find('another cluster'), undefined);
      assert.equal((await find('uid'))?.runId, 'run-1');
      const settled = settle({ letFinish: true, again: true });
      await sleep(100);
      pendingBy(parts, owner);
      await tell(fake, parts);
      assert.deepEqual([(await settled).finished, (await settled).revision?.status], [true, 'deployed']);
    });
  });

  test('a Helm that ended without a last word while its worker goes on: the release is free', async () => {
    await besideAnother(
      ({ folder }) => `touch ${folder}/begun; while :; do sleep 0.01; done`,
      async ({ helm, fake, settle }, { cluster }) => {
        // Until Helm has begun, its guard process would be found in its place.
        await noted(fake, 'begun');
        process.kill((await helm())!.helm.pid, 'SIGKILL');
        await waitUntil('its end', { timeoutMs: 60_000 }, async () => (await helm()) === undefined || undefined);
        await settle();
        assert.deepEqual(cluster.removed, [PATH]);
      },
    );
  });

  test('a Helm that writes its record after it was looked at: nothing is removed', async () => {
    await withFakeClients(async (parts) => {
      const { cluster, clients, run } = parts;
      pendingBy(parts, await ownerLabel(undefined));
      clients.helm.startedBy = () => {
        cluster.objects.get(PATH)!.metadata.resourceVersion = '2';
        return Promise.resolve(undefined);
      };
      await assert.rejects(
        unlockRelease(clients, run, { namespace: 'ns', name: 'api' }, 'digest', new AbortController().signal),
        { type: 'ReleaseBusy', message: /written while it was looked at/ },
      );
      assert.deepEqual(cluster.removed, []);
    });
  });
});

describe('what takes a failed run back', () => {
  test('does not wait for that very run, which waits for it', async () => {
    await withFakeClients(async (parts) => {
      const { cluster, clients, run } = parts;
      const settle = (undoes?: string): ReturnType<typeof unlockRelease> =>
        unlockRelease(
          clients,
          { ...run, runId: 'undo', ...(undoes === undefined ? {} : { undoes }) },
          { namespace: 'ns', name: 'api' },
          'digest',
          new AbortController().signal,
        );
      clients.isRunAlive = () => Promise.resolve(true);
      pendingBy(parts, await ownerLabel(undefined), 'the-failed-run');
      await assert.rejects(settle(), {
        type: 'ReleaseBusy',
        message: /the deployment run the-failed-run of environment "sandbox" is at work/,
      });
      await settle('the-failed-run');
      assert.deepEqual(cluster.removed, [PATH]);
    });
  });
});

describe('where the owner of a release is', () => {
  const parts = async (podUid?: string): Promise<string[]> => (await ownerLabel(podUid)).split('.');

  test('another machine, or another pod with the same beginning of its name: unknown', async () => {
    const [host, place, pid, start] = await parts();
    assert.equal(await whereabouts([host, `m${'0'.repeat(8)}`, pid, start].join('.'), undefined), 'unknown');
    assert.equal(
      await whereabouts([host, place!.replace(/.{8}$/, '00000000'), pid, start].join('.'), 'a-pod'),
      'unknown',
    );
    for (const label of [undefined, '', 'a.b', 'no owner of ours'])
      assert.equal(await whereabouts(label, undefined), 'unknown');
  });

  test('an earlier container of the same pod is gone, one of another pod is not known', async () => {
    const [host, place, pid, start] = await parts('pod-1');
    const earlier = [host, place!.replace(/.{8}$/, '00000000'), pid, start].join('.');
    assert.deepEqual([await whereabouts(earlier, 'pod-1'), await whereabouts(earlier, 'pod-2')], ['gone', 'unknown']);
  });

  test('this very process is here; one that had its number before is gone', async () => {
    const [host, place, pid, start] = await parts();
    assert.equal(await whereabouts([host, place, pid, start].join('.'), undefined), 'here');
    assert.equal(await whereabouts([host, place, pid, '1'].join('.'), undefined), 'gone');
  });

  test(
    'labels of earlier versions: believed only where they hold the whole name of the host, and its boot',
    LINUX,
    async () => {
      const { ownIdentity } = await import('../../../src/process/identity.ts');
      const { pid, startToken } = await ownIdentity();
      const start = startToken.replace(':', '-');
      assert.equal(await whereabouts(`a-host.${pid}.${start}`, undefined, 'a-host'), 'here');
      assert.equal(await whereabouts(`a-host.${pid}.${start.replace(/\d+$/, '1')}`, undefined, 'a-host'), 'gone');
      assert.equal(await whereabouts(`a-host.${pid}.00000000-1`, undefined, 'a-host'), 'unknown');
      // Pods of one ReplicaSet: 24 characters are the same.
      const pod = 'deployer-worker-6f7c9d8b5d-abcde';
      assert.equal(await whereabouts(`${pod.slice(0, 24)}.${pid}.${start}`, undefined, pod), 'unknown');
    },
  );

  test('the label fits, whatever the pod is called', async () => {
    assert.match(await ownerLabel('3f2a'), /^[A-Za-z0-9][A-Za-z0-9._-]{0,61}[A-Za-z0-9]$/);
  });
});
