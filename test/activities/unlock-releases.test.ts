import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, test } from 'node:test';
import { unguardedActivities } from '../../src/activities/index.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { testScope } from '../support/scope.ts';

const HERE = `${hostname()
  .replaceAll(/[^A-Za-z0-9-]/g, '-')
  .slice(0, 24)}.1.x`;

/** Helm's record of the newest revision of a release. */
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
