import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { hostname } from 'node:os';
import { describe, test } from 'node:test';
import { unlockRelease } from '../../src/effects/release/recover.ts';
import { markVerified, newestRevision } from '../../src/effects/release/revisions.ts';
import { isVerified } from '../../src/plan/ownership/provenance.ts';
import { isSameProcessAlive, processIdentity } from '../../src/process/identity.ts';
import { ownerLabel } from '../../src/process/owner.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';

const release = { namespace: 'ns', name: 'api' };
const signal = new AbortController().signal;
const DIGEST = '0123456789abcdef';
const HERE = `${hostname()
  .replaceAll(/[^A-Za-z0-9-]/g, '-')
  .slice(0, 24)}.1.x`;

/** Helm's record of one revision. */
function revision(
  { cluster }: FakeParts,
  number: number,
  status: string,
  labels: Record<string, string> = {},
  ageSeconds = 5,
): string {
  const name = `sh.helm.release.v1.api.v${number}`;
  const path = `/api/v1/namespaces/ns/secrets/${name}`;
  cluster.objects.set(path, {
    metadata: {
      name,
      namespace: 'ns',
      uid: `uid-${number}`,
      resourceVersion: '1',
      managedFields: [{ manager: 'helm', operation: 'Update' }],
      labels: {
        owner: 'helm',
        name: 'api',
        version: String(number),
        status,
        modifiedAt: String(Math.floor(Date.now() / 1000) - ageSeconds),
        ...labels,
      },
    },
  });
  return path;
}
const of = (run: string, owner = HERE): Record<string, string> => ({
  'ananta-run': run,
  'ananta-owner': owner,
  'ananta-environment': 'sandbox',
  'ananta-digest': DIGEST,
});
const settle = (parts: FakeParts): ReturnType<typeof unlockRelease> =>
  unlockRelease(parts.clients, parts.run, release, DIGEST, signal);

describe('a release that was left behind', () => {
  for (const status of ['deployed', 'superseded', 'uninstalled']) {
    test(`${status}: nothing to do`, async () => {
      await withFakeClients(async (parts) => {
        revision(parts, 1, status, of('run-0'));
        const { revision: found, recovered } = await settle(parts);
        assert.deepEqual([found?.status, recovered, parts.cluster.removed], [status, undefined, []]);
      });
    });
  }

  test('pending, by an earlier attempt of this run: only the record of that revision is removed', async () => {
    await withFakeClients(async (parts) => {
      revision(parts, 1, 'deployed', of('run-0'));
      const path = revision(parts, 2, 'pending-upgrade', of('run-1'));
      const { revision: left, recovered } = await settle(parts);
      assert.deepEqual([left?.revision, parts.cluster.removed], [1, [path]]);
      assert.match(
        recovered ?? '',
        /revision 2 was left pending-upgrade by \S+ \(run run-1\); its record was removed, what it had created was kept/,
      );
    });
  });

  test('a rollback bears the labels of the revision it goes back to: they prove nothing', async () => {
    await withFakeClients(async (parts) => {
      revision(parts, 1, 'deployed', of('run-0'));
      revision(parts, 2, 'pending-rollback', of('run-0'));
      await assert.rejects(
        settle(parts),
        /revision 2 of ns\/api is pending-rollback since \S+, written by an unknown process\. Its Helm cannot be looked at from here/,
      );
      assert.deepEqual(parts.cluster.removed, []);
    });
  });

  for (const [how, prove] of Object.entries<(parts: FakeParts) => void>({
    'its process died with its worker here': (parts) => {
      const dead = { pid: 1, startToken: 'x' };
      parts.clients.helm.interrupted = () =>
        Promise.resolve({ helm: dead, worker: dead, runId: 'run-0', startedAt: 'then' });
    },
    'this run has put its labels there': (parts) => {
      revision(parts, 2, 'pending-rollback', of('run-1'));
    },
    'it is older than any Helm': (parts) => {
      revision(parts, 2, 'pending-rollback', of('run-0'), 100_000);
    },
  })) {
    test(`a rollback that was interrupted: ${how}`, async () => {
      await withFakeClients(async (parts) => {
        revision(parts, 1, 'deployed', of('run-0'));
        const path = revision(parts, 2, 'pending-rollback', of('run-0'));
        prove(parts);
        assert.equal((await settle(parts)).revision?.revision, 1);
        assert.deepEqual(parts.cluster.removed, [path]);
      });
    });
  }

  test('pending, by a run that has ended', async () => {
    await withFakeClients(async (parts) => {
      const path = revision(parts, 1, 'pending-install', of('run-0'));
      const { revision: left } = await settle(parts);
      assert.deepEqual([left, parts.cluster.removed], [undefined, [path]]);
    });
  });

  test('pending, by a run that is alive: it is asked for by workflow and run, and left alone', async () => {
    await withFakeClients(async (parts) => {
      revision(parts, 1, 'pending-install', of('run-0'));
      const asked: unknown[] = [];
      parts.clients.isRunAlive = (run) => {
        asked.push(run);
        return Promise.resolve(true);
      };
      await assert.rejects(settle(parts), {
        type: 'ReleaseBusy',
        message: /run run-0 of environment "sandbox" is at work/,
      });
      assert.deepEqual([asked, parts.cluster.removed], [[{ workflowId: 'deploy/sandbox/uid', runId: 'run-0' }], []]);
    });
  });

  test('pending, by nobody of ours: never touched, and the way out is named', async () => {
    await withFakeClients(async (parts) => {
      revision(parts, 1, 'pending-upgrade', {}, 86_400);
      await assert.rejects(settle(parts), {
        type: 'ReleaseBusy',
        message: /field manager "helm".*helm rollback api --namespace ns/,
      });
      assert.deepEqual(parts.cluster.removed, []);
    });
  });

  test('pending, by another machine: only after its Helm must have ended', async () => {
    await withFakeClients(async (parts) => {
      revision(parts, 1, 'pending-install', of('run-0', 'elsewhere.7.x'), 100);
      await assert.rejects(settle(parts), {
        type: 'ReleaseBusy',
        message: /elsewhere\.7\.x.*ends by itself at the latest in 2\d\d s/,
      });
      revision(parts, 1, 'pending-install', of('run-0', 'elsewhere.7.x'), 400);
      assert.match((await settle(parts)).recovered ?? '', /elsewhere/);
    });
  });

  test("pending, by another machine: its age is told by the API server's clock, whatever the one here says", async () => {
    await withFakeClients(async (parts) => {
      // The worker's clock is an hour ahead of the API server's, as a laptop's may be: by the server's clock the
      // revision is 100 s old.
      parts.cluster.now = () => Date.now() - 3_600_000;
      revision(parts, 1, 'pending-install', of('run-0', 'elsewhere.7.x'), 3700);
      await assert.rejects(settle(parts), { type: 'ReleaseBusy', message: /at the latest in 2\d\d s/ });
      assert.deepEqual(parts.cluster.removed, []);
      // The worker's clock is an hour behind: it does not wait an hour too long.
      parts.cluster.now = () => Date.now() + 3_600_000;
      revision(parts, 1, 'pending-install', of('run-0', 'elsewhere.7.x'), -3200);
      assert.match((await settle(parts)).recovered ?? '', /elsewhere/);
    });
  });

  test('a Helm that still runs for another worker is waited for', async () => {
    await withFakeClients(async (parts) => {
      const { ownIdentity } = await import('../../src/process/identity.ts');
      const me = await ownIdentity();
      revision(parts, 1, 'pending-install', of('run-1'));
      parts.clients.helm.alive = () => Promise.resolve({ helm: me, worker: me, runId: 'run-1', startedAt: 'now' });
      await assert.rejects(settle(parts), {
        type: 'ReleaseBusy',
        message: new RegExp(`process ${process.pid}, since now`),
      });
      assert.deepEqual(parts.cluster.removed, []);
    });
  });

  test('a Helm without a worker that should be over by now stands still, together with its guard: it is killed', async () => {
    await withFakeClients(async (parts) => {
      const stopped = spawn('sleep', ['30'], { stdio: 'ignore' });
      stopped.kill('SIGSTOP');
      const helm = (await processIdentity(stopped.pid!))!;
      const process = {
        helm,
        worker: { pid: 1, startToken: 'gone' },
        runId: 'run-1',
        startedAt: 'then',
        endsBy: new Date(Date.now() - 10_000).toISOString(),
      };
      parts.clients.helm.alive = async () => ((await isSameProcessAlive(helm)) ? process : undefined);
      const path = revision(parts, 1, 'pending-install', of('run-1'));
      const { recovered, finished } = await unlockRelease(parts.clients, parts.run, release, DIGEST, signal, {
        letFinish: true,
      });
      assert.deepEqual([finished, parts.cluster.removed], [false, [path]]);
      assert.match(recovered ?? '', /outlived its worker \(process \d+\) was ended/);
    });
  });

  test('pending, by another machine whose Helm has another bound: that one counts', async () => {
    await withFakeClients(async (parts) => {
      const elsewhere = { ...of('run-0', 'elsewhere.7.x'), 'ananta-bound': '900' };
      revision(parts, 1, 'pending-install', elsewhere, 400);
      await assert.rejects(settle(parts), { type: 'ReleaseBusy', message: /ends by itself at the latest in 5\d\d s/ });
      revision(parts, 1, 'pending-install', elsewhere, 1000);
      assert.match((await settle(parts)).recovered ?? '', /elsewhere/);
    });
  });

  test('failed, by this very step: its number is used again; by anything else it stays as history', async () => {
    await withFakeClients(async (parts) => {
      const path = revision(parts, 1, 'failed', of('run-1'));
      await settle(parts);
      assert.deepEqual(parts.cluster.removed, [path]);
      revision(parts, 1, 'failed', { ...of('run-1'), 'ananta-digest': 'another' });
      revision(parts, 2, 'failed', of('run-0'));
      assert.equal((await settle(parts)).revision?.revision, 2);
      assert.deepEqual(parts.cluster.removed, [path]);
    });
  });
});

describe('labels', () => {
  test('who owns a revision fits a label', async () => {
    assert.match(await ownerLabel(undefined), /^[A-Za-z0-9][A-Za-z0-9._-]{0,61}[A-Za-z0-9]$/);
  });

  test('proven is a revision by its own number: a label that Helm copied to the next one does not count', async () => {
    await withFakeClients(async (parts) => {
      const path = revision(parts, 3, 'deployed', of('run-1'));
      assert.equal(isVerified((await newestRevision(parts.clients.kubernetes, 'ns', 'api'))!), false);
      await markVerified(parts.clients.kubernetes, 'ns', 'api');
      assert.equal(parts.cluster.objects.get(path)?.metadata.labels?.['ananta-proven'], '3');
      assert.equal(isVerified((await newestRevision(parts.clients.kubernetes, 'ns', 'api'))!), true);
      revision(parts, 4, 'deployed', { ...of('run-2'), 'ananta-proven': '3' });
      assert.equal(isVerified((await newestRevision(parts.clients.kubernetes, 'ns', 'api'))!), false);
    });
  });
});
