import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApplyReleaseInput } from '../../src/contract/activities.ts';
import { descriptionOf } from '../../src/plan/ownership/provenance.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { helmRecord, ourLabels } from '../support/fakes/helm-record.ts';
import { helmStore } from '../support/fakes/helm-store.ts';
import { testScope } from '../support/scope.ts';
import { unguardedActivities } from '../../src/activities/index.ts';

const DIGEST = '0123456789abcdef';

function revision({ cluster }: FakeParts, number: number, status: string, labels: Record<string, string> = {}): string {
  const [path, secret] = helmRecord({
    namespace: 'stores',
    release: 'cache',
    revision: number,
    status,
    chart: 'redis',
    labels: { ...ourLabels('run-0', DIGEST), 'ananta-proven': '1', ...labels },
  });
  cluster.objects.set(path, secret);
  return path;
}

const inputOf = ({ run }: FakeParts, toRevision: number): ApplyReleaseInput => ({
  run,
  service: 'cache',
  priority: 1,
  step: {
    kind: 'release',
    name: 'cache',
    namespace: 'stores',
    job: false,
    action: 'repair',
    reason: 'drifted',
    digest: DIGEST,
    toRevision,
  },
});

describe("a release applied again from Helm's own record", () => {
  test("goes back to the revision, and the new one bears this run's labels", async () => {
    await withFakeClients(async (parts) => {
      revision(parts, 1, 'superseded');
      revision(parts, 2, 'deployed', { 'ananta-digest': 'fedcba9876543210' });
      const asked: number[] = [];
      parts.clients.helm.rollback = ({ revision: to }) => {
        asked.push(to);
        revision(parts, 3, 'deployed');
        return Promise.resolve({ seconds: 0, queuedSeconds: 0 });
      };
      const { changed, revision: made } = await unguardedActivities(parts.clients, () => testScope()).applyRelease(
        inputOf(parts, 1),
      );
      assert.deepEqual([changed, made, asked], [true, 3, [1]]);
      const labels =
        parts.cluster.objects.get('/api/v1/namespaces/stores/secrets/sh.helm.release.v1.cache.v3')?.metadata.labels ??
        {};
      assert.equal(labels['ananta-run'], 'run-1');
      assert.equal(labels['ananta-digest'], DIGEST);
      assert.match(labels['ananta-owner'] ?? '', /^\S+\.\d+\./);
    });
  });

  test('once more after a lost acknowledgement: nothing is applied', async () => {
    await withFakeClients(async (parts) => {
      const store = helmStore(parts);
      store.upgrade({ labels: ourLabels('run-0', DIGEST) });
      store.rollback(1, { description: descriptionOf('run-1', DIGEST) });
      const { changed, revision: made } = await unguardedActivities(parts.clients, () => testScope()).applyRelease(
        inputOf(parts, 1),
      );
      assert.deepEqual([changed, made], [true, 2]);
      assert.equal(store.secret(2).metadata.labels?.['ananta-run'], 'run-1');
    });
  });

  test('a rollback of somebody else to the same revision is not taken for its own', async () => {
    await withFakeClients(async (parts) => {
      const store = helmStore(parts);
      store.upgrade({ labels: ourLabels('run-0', DIGEST) });
      store.rollback(1);
      await assert.rejects(
        unguardedActivities(parts.clients, () => testScope()).applyRelease(inputOf(parts, 1)),
        /no Helm here/,
      );
    });
  });

  test('the newest revision itself is applied again, it is not taken for done', async () => {
    await withFakeClients(async (parts) => {
      revision(parts, 2, 'deployed');
      await assert.rejects(
        unguardedActivities(parts.clients, () => testScope()).applyRelease(inputOf(parts, 2)),
        /no Helm here/,
      );
    });
  });

  test('an attempt that failed is known by its labels, so that the next one takes its number', async () => {
    await withFakeClients(async (parts) => {
      revision(parts, 1, 'deployed');
      parts.clients.helm.rollback = () => {
        revision(parts, 2, 'failed');
        return Promise.reject(new Error('cluster unreachable'));
      };
      const again = (): Promise<unknown> =>
        unguardedActivities(parts.clients, () => testScope()).applyRelease(inputOf(parts, 1));
      await assert.rejects(again(), /cluster unreachable/);
      await assert.rejects(again(), /cluster unreachable/);
      assert.deepEqual(parts.cluster.removed, ['/api/v1/namespaces/stores/secrets/sh.helm.release.v1.cache.v2']);
    });
  });

  for (const [what, digest, pattern] of [
    ['is gone', undefined, /record of revision 1 of \S+ is gone/],
    ['holds something else', 'fedcba9876543210', /was planned as 0123456789abcdef, but is fedcba9876543210/],
  ] as const) {
    test(`a revision that ${what} is refused before anything is touched`, async () => {
      await withFakeClients(async (parts) => {
        if (digest !== undefined) revision(parts, 1, 'superseded', { 'ananta-digest': digest });
        revision(parts, 2, 'deployed', { 'ananta-digest': 'another' });
        parts.clients.helm.rollback = () => assert.fail('Helm was started');
        await assert.rejects(
          unguardedActivities(parts.clients, () => testScope()).applyRelease(inputOf(parts, 1)),
          pattern,
        );
      });
    });
  }
});
