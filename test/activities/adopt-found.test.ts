/** What others have brought up, read from the cluster; and their passwords, imported from where they are. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createActivities } from '../../src/activities/index.ts';
import { adoptionOf } from '../../src/effects/adopt/adoption.ts';
import { givingBackOf } from '../../src/effects/adopt/give-back.ts';
import { givingBackLines } from '../../src/cli/adopt/adoption.ts';
import { foundLive } from '../../src/effects/adopt/found-live.ts';
import { planImport } from '../../src/effects/vault/secrets/import.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { helmRecord, ourLabels } from '../support/fakes/helm-record.ts';
import { testScope } from '../support/scope.ts';

const signal = new AbortController().signal;
const encoded = (text: string): string => Buffer.from(text).toString('base64');

function put({ cluster }: FakeParts): void {
  for (const [path, secret] of [
    helmRecord({
      namespace: 'stores',
      release: 'cache',
      revision: 2,
      chart: 'redis',
      manager: 'Terraform',
      manifest: 'apiVersion: v1\nkind: Secret\nmetadata: {name: cache-redis}\n',
      config: { auth: { password: 'S3CRET' }, replicas: 1 },
    }),
    helmRecord({ namespace: 'apps', release: 'api', revision: 1, labels: ourLabels('r', 'd') }),
    helmRecord({ namespace: 'elsewhere', release: 'theirs', revision: 1, chart: 'their-chart' }),
    helmRecord({ namespace: 'elsewhere', release: 'damaged', revision: 1, junk: 'x' }),
  ])
    cluster.objects.set(path, secret);
  cluster.objects.set('/api/v1/namespaces/stores/secrets/cache-redis', {
    metadata: { name: 'cache-redis', namespace: 'stores', uid: 's', resourceVersion: '1' },
    type: 'Opaque',
    data: { 'redis-password': encoded('S3CRET'), binary: Buffer.from([0xff, 0xfe]).toString('base64') },
  });
  for (const [name, spec] of [
    ['sessions', { source: { repoURL: 'r', chart: 'redis', targetRevision: '20.1.0', helm: { values: 'a: 1' } } }],
    ['from-git', { source: { repoURL: 'r', path: 'charts' } }],
  ] as const)
    cluster.objects.set(`/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/${name}`, {
      metadata: { name, namespace: 'argocd', uid: name, resourceVersion: '1' },
      spec: { ...spec, destination: { namespace: 'stores' }, syncPolicy: { automated: { prune: true } } },
    });
}

describe('what others have brought up', () => {
  test("is found in Helm's records and Argo CD's Applications; what is ours is not, and no value is kept", () =>
    withFakeClients(async (parts) => {
      put(parts);
      const found = await foundLive(parts.clients, signal);
      assert.deepEqual(
        found.releases
          .map(({ namespace, name, chart, by, synchronises, secretValues }) => [
            `${namespace}/${name}`,
            chart.name,
            by,
            synchronises,
            secretValues,
          ])
          .sort(),
        [
          ['elsewhere/theirs', 'their-chart', 'helm', undefined, []],
          ['stores/cache', 'redis', 'helm', undefined, ['auth.password']],
          ['stores/sessions', 'redis', 'argocd', true, []],
        ],
      );
      const cache = found.releases.find(({ name }) => name === 'cache');
      assert.deepEqual(
        [cache?.source, cache?.madeSecrets, cache?.values],
        ["Helm's record, revision 2, written by Terraform", ['cache-redis'], { auth: {}, replicas: 1 }],
      );
      assert.deepEqual(found.others, [
        { what: 'release elsewhere/damaged', why: "Helm's record of it cannot be read" },
      ]);
      assert.deepEqual(found.secrets, [
        { namespace: 'stores', name: 'cache-redis', keys: ['binary', 'redis-password'], source: 'the cluster' },
      ]);
      assert.doesNotMatch(JSON.stringify(found), /S3CRET/);
    }));

  test('its Secrets are kept with its claims when it is taken over', () =>
    withFakeClients(async (parts) => {
      put(parts);
      const { clients, run, cluster } = parts;
      const { digest, releases } = await adoptionOf(clients, 'cache', signal);
      assert.deepEqual(releases[0]?.secrets, ['cache-redis']);
      const activities = createActivities(clients, () => testScope());
      const plan = await activities.planAdopt({ run, service: 'cache', expectedDigest: digest });
      await activities.adoptReleases({ run, service: 'cache', requestedBy: 'ann@host', plan });
      const kept = cluster.objects.get('/api/v1/namespaces/stores/secrets/cache-redis');
      assert.equal(kept?.metadata.annotations?.['helm.sh/resource-policy'], 'keep');
    }));
});

describe('what was taken over', () => {
  const KEPT = '/api/v1/namespaces/stores/secrets/cache-redis';
  const RECORD = '/api/v1/namespaces/stores/secrets/sh.helm.release.v1.cache.v2';
  const take = async ({ clients, run }: FakeParts): Promise<void> => {
    const activities = createActivities(clients, () => testScope());
    const { digest } = await adoptionOf(clients, 'cache', signal);
    const plan = await activities.planAdopt({ run, service: 'cache', expectedDigest: digest });
    await activities.adoptReleases({ run, service: 'cache', requestedBy: 'ann@host', plan });
  };

  test('is given back as it was, also after a lost acknowledgement; nothing is applied or deleted', () =>
    withFakeClients(async (parts) => {
      put(parts);
      const { clients, run, cluster } = parts;
      const before = structuredClone([cluster.objects.get(RECORD), cluster.objects.get(KEPT)]);
      await take(parts);
      const { digest, releases } = await givingBackOf(clients, 'cache', signal);
      assert.deepEqual(releases[0]?.secrets, ['cache-redis']);
      assert.match(givingBackLines('cache', { releases }).join('\n'), /revision 2, as it was taken over/);
      const activities = createActivities(clients, () => testScope());
      const plan = await activities.planAdopt({ run, service: 'cache', expectedDigest: digest, undo: true });
      assert.deepEqual(
        plan.steps?.filter(({ kind }) => kind === 'adopt').map(({ undo }) => undo),
        [true],
      );
      const giving = { run, service: 'cache', requestedBy: 'ann@host', plan, undo: true } as const;
      assert.deepEqual(await activities.adoptReleases(giving), { adopted: ['stores/cache'] });
      assert.deepEqual(await activities.adoptReleases(giving), { adopted: ['stores/cache'] });
      assert.deepEqual([cluster.removed, cluster.applied], [[], []]);
      const plain = (objects: unknown[]): unknown =>
        structuredClone(
          objects as { metadata: { annotations?: object; labels?: object; resourceVersion: string } }[],
        ).map((object) => {
          const { resourceVersion: _version, annotations = {}, labels = {}, ...metadata } = object.metadata;
          return { ...object, metadata: { ...metadata, annotations, labels } };
        });
      assert.deepEqual(plain([cluster.objects.get(RECORD), cluster.objects.get(KEPT)]), plain(before));
      // Its former owner may be asked once more for the values that were not found.
      assert.equal((await adoptionOf(clients, 'cache', signal)).releases.length, 1);
    }));

  test('keeps the marks that its owner has made', () =>
    withFakeClients(async (parts) => {
      put(parts);
      const { clients, run, cluster } = parts;
      const secret = cluster.objects.get(KEPT)!;
      secret.metadata.annotations = { 'helm.sh/resource-policy': 'keep' };
      await take(parts);
      const { digest } = await givingBackOf(clients, 'cache', signal);
      const activities = createActivities(clients, () => testScope());
      const plan = await activities.planAdopt({ run, service: 'cache', expectedDigest: digest, undo: true });
      await activities.adoptReleases({ run, service: 'cache', requestedBy: 'ann@host', plan, undo: true });
      assert.deepEqual(cluster.objects.get(KEPT)?.metadata.annotations, { 'helm.sh/resource-policy': 'keep' });
    }));

  test('and deployed since is given back as it is now, which is said; what was never taken over is refused', () =>
    withFakeClients(async (parts) => {
      put(parts);
      const { clients, cluster } = parts;
      await assert.rejects(givingBackOf(clients, 'cache', signal), { message: /nothing of "cache" to give back/ });
      await assert.rejects(givingBackOf(clients, 'api', signal), { name: 'PlanRefusedError' });
      await take(parts);
      const { digest } = await givingBackOf(clients, 'cache', signal);
      const of = { namespace: 'stores', release: 'cache', chart: 'redis', revision: 3 };
      cluster.objects.set(...helmRecord({ ...of, labels: { ...ourLabels('r2', 'd2'), 'ananta-adopted': '2' } }));
      const now = await givingBackOf(clients, 'cache', signal);
      assert.match(now.releases[0]?.text ?? '', /revision 3, which a deployment made after revision 2 was taken over/);
      const activities = createActivities(clients, () => testScope());
      await assert.rejects(
        activities.planAdopt({ run: parts.run, service: 'cache', expectedDigest: digest, undo: true }),
        { type: 'PlanOutdated' },
      );
      cluster.objects.set(
        ...helmRecord({
          ...of,
          status: 'pending-upgrade',
          labels: { ...ourLabels('r2', 'd2'), 'ananta-adopted': '2' },
        }),
      );
      await assert.rejects(givingBackOf(clients, 'cache', signal), { message: /revision 3 is pending-upgrade/ });
    }));
});

describe('passwords that run', () => {
  const reference = { namespace: 'stores', secret: 'cache-redis', key: 'redis-password' };

  test('come into Vault from the Secret that holds them, before one is generated', () =>
    withFakeClients(async (parts) => {
      put(parts);
      const { clients, run, vault } = parts;
      const planned = await planImport(clients, {
        file: {},
        references: { 'stores/cache': { 'redis-password': reference } },
        giveUp: [],
      });
      assert.deepEqual(planned.found, [
        { path: 'stores/cache', key: 'redis-password', from: 'Secret stores/cache-redis, redis-password' },
      ]);
      assert.equal(planned.into, 'waiting');
      await planned.write();
      const activities = createActivities(clients, () => testScope());
      await activities.openVault(run);
      await activities.configureVault(run);
      await activities.seedVault(run);
      assert.equal(vault.kv.get('stores/cache')?.versions.at(-1)?.data?.['redis-password'], 'S3CRET');
      // Once more: Vault has the value already, and it stays.
      parts.cluster.objects.get('/api/v1/namespaces/stores/secrets/cache-redis')!['data'] = {
        'redis-password': encoded('another'),
      };
      const again = await planImport(clients, {
        file: {},
        references: { 'stores/cache': { 'redis-password': reference } },
        giveUp: [],
      });
      assert.deepEqual(again.differing, [{ path: 'stores/cache', key: 'redis-password' }]);
    }));

  for (const [what, change, message] of [
    ['a Secret that is not there', { secret: 'nobody' }, /there is no Secret stores\/nobody/],
    ['a key that it does not have', { key: 'password' }, /cache-redis holds no text under the key "password"/],
    ['what is no text', { key: 'binary' }, /holds no text under the key "binary"/],
  ] as const)
    test(`${what} is named, and nothing is written`, () =>
      withFakeClients(async (parts) => {
        put(parts);
        await assert.rejects(
          planImport(parts.clients, {
            file: {},
            references: { 'stores/cache': { 'redis-password': { ...reference, ...change } } },
            giveUp: [],
          }),
          { name: 'PlanRefusedError', message },
        );
      }));
});
