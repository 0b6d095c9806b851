/**
 * From a value that was patched in Vault to pods that read it: work that was interrupted is completed by the next
 * attempt.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createActivities } from '../../../src/activities/index.ts';
import { restartReaders } from '../../../src/effects/release/restart.ts';
import { observeVault } from '../../../src/effects/vault/observe.ts';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import { wantedSecrets } from '../../../src/plan/vault/kubernetes-secrets.ts';
import { allReleases } from '../../../src/plan/releases.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { testScope } from '../../support/scope.ts';

const MARK = 'ananta.dev/secrets-changed';

interface World {
  parts: FakeParts;
  /** Somebody writes another value into Vault. */
  patch: () => void;
  sync: () => Promise<{ written: string[] }>;
  secret: () => KubernetesObject;
  restart: () => Promise<boolean>;
  /** Restarts of the workload, as the fake cluster was asked for. */
  restarts: () => unknown[];
  pod: (name: string, createdAt: string, mark?: string) => void;
}

async function world(work: (world: World) => Promise<void>): Promise<void> {
  await withFakeClients(async (parts) => {
    const { clients, cluster, vault, run } = parts;
    const activities = createActivities(clients, () => testScope());
    await activities.openVault(run);
    await activities.configureVault(run);
    await activities.seedVault(run);
    await activities.syncSecrets(run);
    const wanted = wantedSecrets(clients.catalog)[0]!;
    const { namespace, name } = allReleases(clients.catalog).find(
      (release) =>
        release.namespace === wanted.namespace &&
        !release.job &&
        release.secrets.some(({ path }) => path === wanted.path),
    )!;
    const workload = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    const meta = (of: string, createdAt: string): KubernetesObject['metadata'] => ({
      name: of,
      namespace,
      uid: of,
      resourceVersion: '1',
      creationTimestamp: createdAt,
      labels: { 'app.kubernetes.io/instance': name },
    });
    cluster.objects.set(workload, { metadata: meta(name, '2026-01-01T00:00:00Z'), spec: { template: {} } });
    await work({
      parts,
      patch: () => {
        const versions = vault.kv.get(wanted.path)!.versions;
        versions.push({
          ...versions.at(-1)!,
          created_time: new Date().toISOString(),
          data: { ...versions.at(-1)!.data, [wanted.keys[0]!]: 'another-value' },
        });
      },
      sync: () => activities.syncSecrets(run),
      secret: () => cluster.objects.get(`/api/v1/namespaces/${wanted.namespace}/secrets/${wanted.name}`)!,
      restart: () => restartReaders(clients, { namespace, name, restart: [wanted.name] }),
      restarts: () => cluster.applied.filter(({ path }) => path === workload),
      pod: (pod, createdAt, mark) =>
        cluster.objects.set(`/api/v1/namespaces/${namespace}/pods/${pod}`, {
          metadata: { ...meta(pod, createdAt), ...(mark === undefined ? {} : { annotations: { [MARK]: mark } }) },
        }),
    });
  });
}

describe('a value that was changed in Vault', () => {
  test('is marked on the Secret with the time, once; a new version of the same value is not', () =>
    world(async ({ parts, patch, sync, secret }) => {
      assert.equal(secret().metadata.annotations?.[MARK], undefined);
      patch();
      const signal = new AbortController().signal;
      const { changedSecrets } = await observeVault(parts.clients, parts.clients.environment, signal);
      assert.deepEqual(
        changedSecrets?.map(({ stale }) => stale),
        [true],
      );
      await sync();
      const at = secret().metadata.annotations?.[MARK];
      assert.match(at ?? '', /^20\d\d-.*:\d\dZ$/);
      const [path] = [...parts.vault.kv].find(
        ([, { versions }]) => versions.at(-1)?.data && Object.values(versions.at(-1)!.data!).includes('another-value'),
      )!;
      const { versions } = parts.vault.kv.get(path)!;
      versions.push({ ...versions.at(-1)! });
      await sync();
      assert.equal(secret().metadata.annotations?.[MARK], at);
    }));

  test('replaces pods that are older, also when the run before was interrupted in between; younger ones stay', () =>
    world(async ({ patch, sync, secret, restart, restarts, pod }) => {
      pod('old', '2026-01-01T00:00:00Z');
      assert.equal(await restart(), false, 'nothing has changed yet');
      patch();
      await sync();
      assert.equal(await restart(), true);
      assert.equal(restarts().length, 1);
      const changed = secret().metadata.annotations![MARK]!;
      pod('old', changed);
      assert.equal(await restart(), false, 'in the same second: it is being replaced already');
      pod('old', changed, changed);
      assert.equal(await restart(), false, 'in the same second, and made for the change');
      pod('old', '2999-01-01T00:00:00Z');
      assert.equal(await restart(), false);
      assert.equal(restarts().length, 1);
    }));
});
