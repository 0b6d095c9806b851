import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { hostname } from 'node:os';
import { describe, test } from 'node:test';
import { unguardedActivities } from '../../src/activities/index.ts';
import { isSameProcessAlive, processIdentity } from '../../src/process/identity.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { testScope } from '../support/scope.ts';

const HERE = `${hostname()
  .replaceAll(/[^A-Za-z0-9-]/g, '-')
  .slice(0, 24)}.1.x`;

/** Helm's record of a release's newest revision. */
function record({ cluster }: FakeParts, release: string, status: string, run: string): string {
  const name = `sh.helm.release.v1.${release}.v2`;
  const path = `/api/v1/namespaces/ns/secrets/${name}`;
  cluster.objects.set(path, {
    metadata: {
      name,
      namespace: 'ns',
      uid: `uid-${release}`,
      resourceVersion: '1',
      labels: {
        owner: 'helm',
        name: release,
        version: '2',
        status,
        modifiedAt: String(Math.floor(Date.now() / 1000) - 5),
        'ananta-run': run,
        'ananta-owner': HERE,
        'ananta-environment': 'sandbox',
        'ananta-digest': '0123456789abcdef',
      },
    },
  });
  return path;
}

const settle = (parts: FakeParts, ...names: string[]): Promise<{ settled: string[] }> =>
  unguardedActivities(parts.clients, testScope).settleReleases({
    run: parts.run,
    releases: names.map((name) => ({ namespace: 'ns', name })),
  });

describe('after a run that was interrupted', () => {
  test('only what this run left pending is freed; what failed, and what others wrote, stays', async () => {
    await withFakeClients(async (parts) => {
      const killed = record(parts, 'killed', 'pending-upgrade', 'run-1');
      record(parts, 'ended', 'failed', 'run-1');
      record(parts, 'fine', 'deployed', 'run-1');
      record(parts, 'foreign', 'pending-upgrade', 'run-0');
      record(parts, 'unasked', 'pending-install', 'run-1');
      const { settled } = await settle(parts, 'killed', 'ended', 'fine', 'foreign', 'absent');
      assert.equal(settled.length, 1);
      assert.match(settled[0] ?? '', /^ns\/killed: revision 2 was left pending-upgrade/);
      assert.deepEqual(parts.cluster.removed, [killed]);
    });
  });

  test('a rollback, which bears the labels of an older run, is known by the record of its process', async () => {
    await withFakeClients(async (parts) => {
      const path = record(parts, 'back', 'pending-rollback', 'run-0');
      await settle(parts, 'back');
      assert.deepEqual(parts.cluster.removed, []);
      const dead = { pid: 1, startToken: 'x' };
      parts.clients.helm.interrupted = () =>
        Promise.resolve({ helm: dead, worker: dead, runId: 'run-1', startedAt: 'then' });
      await settle(parts, 'back');
      assert.deepEqual(parts.cluster.removed, [path]);
    });
  });

  for (const [what, begins] of [
    ['that has written nothing yet', undefined],
    ['in the middle of a rollback, which bears the labels of an older run', 'pending-rollback'],
  ] as const)
    test(`a Helm ${what}, and has lost its worker, is ended: nothing changes the cluster behind a closed run`, async () => {
      await withFakeClients(async (parts) => {
        const path = begins && record(parts, 'left', begins, 'run-0');
        const left = spawn('sleep', ['30'], { stdio: 'ignore' });
        const helm = (await processIdentity(left.pid!))!;
        const process = { helm, worker: { pid: 1, startToken: 'gone' }, runId: 'run-1', startedAt: 'then' };
        parts.clients.helm.alive = async (_namespace, name, cluster) =>
          name === 'left' && cluster === parts.run.clusterUid && (await isSameProcessAlive(helm)) ? process : undefined;
        const { settled } = await settle(parts, 'left', 'other');
        assert.match(settled.join(), /^ns\/left: a Helm that outlived its worker \(process \d+\) was ended/);
        assert.equal(await isSameProcessAlive(helm), false);
        assert.deepEqual(parts.cluster.removed, path === undefined ? [] : [path]);
      });
    });

  test('one whose Helm still lives is waited for: told as busy', async () => {
    await withFakeClients(async (parts) => {
      record(parts, 'busy', 'pending-upgrade', 'run-1');
      const { ownIdentity } = await import('../../src/process/identity.ts');
      const own = await ownIdentity();
      parts.clients.helm.alive = () => Promise.resolve({ helm: own, worker: own, runId: 'run-1', startedAt: 'now' });
      await assert.rejects(settle(parts, 'busy'), /is at work on ns\/busy/);
      assert.deepEqual(parts.cluster.removed, []);
    });
  });
});
