/** What others have brought up, read from the cluster; and their passwords, imported from where they are. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createActivities } from '../../src/activities/index.ts';
import { adoptionOf } from '../../src/effects/adopt/adoption.ts';
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
      // Once more: it is there, and what stands in Vault stays.
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
