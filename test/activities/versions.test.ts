import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createVersion, keepNewest, listVersions, readVersions } from '../../src/effects/versions/store.ts';
import type { Clients } from '../../src/clients/index.ts';
import type { PlatformVersion, PromotedFrom } from '../../src/contract/version.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { testScope } from '../support/scope.ts';
import { sampleVersion } from '../support/versions.ts';
import { unguardedActivities } from '../../src/activities/index.ts';

const SECRET = 'a-very-secret-value';

/** A revision of `api` as Helm records it. */
function helmSecret(
  revision: number,
  digest: string,
  status = 'deployed',
): [string, FakeParts['cluster']['objects'] extends Map<string, infer Value> ? Value : never] {
  const name = `sh.helm.release.v1.api.v${revision}`;
  const stored = {
    name: 'api',
    namespace: 'apps',
    version: revision,
    info: {},
    config: { password: SECRET },
    chart: { metadata: { name: 'service', version: '0.1.0' }, templates: [{ name: 'a', data: 'x' }] },
    manifest: `kind: Deployment\nspec:\n  containers:\n  - image: registry/api:${digest}\n    env:\n    - value: ${SECRET}\n`,
  };
  const release = Buffer.from(gzipSync(JSON.stringify(stored)).toString('base64')).toString('base64');
  return [
    `/api/v1/namespaces/apps/secrets/${name}`,
    {
      metadata: {
        name,
        namespace: 'apps',
        uid: `uid-${revision}`,
        resourceVersion: '1',
        labels: {
          owner: 'helm',
          name: 'api',
          version: String(revision),
          status,
          'ananta-environment': 'sandbox',
          'ananta-digest': digest,
          'ananta-run': `r${revision}`,
        },
      },
      data: { release },
    },
  ];
}

const content = (runId: string, more: Partial<PlatformVersion> = {}): Omit<PlatformVersion, 'version'> => {
  const { version: _given, ...rest } = sampleVersion(1, { runId, ...more });
  return rest;
};

const record = (
  clients: Clients,
  run: FakeParts['run'],
  changed = true,
  more: { promotedFrom?: PromotedFrom } = {},
): Promise<{ version: number }> =>
  unguardedActivities(clients, () => testScope()).recordVersion({
    run,
    operation: 'deploy',
    requestedBy: 'a@b',
    planDigest: 'p',
    seconds: 4,
    services: [{ name: 'api', phase: 12, state: 'healthy', seconds: 3, changed }],
    ...more,
  });

describe('platform versions in the cluster', () => {
  test('name where they were promoted from, also where everything was there already; once', () =>
    withFakeClients(async ({ clients, cluster, run }) => {
      const from = { environment: 'staging', version: 12, clusterUid: 'other' };
      cluster.objects.set(...helmSecret(1, 'aaaa'));
      const promote = (runId: string, more: Partial<PromotedFrom> = {}): Promise<{ version: number }> =>
        record(clients, { ...run, runId }, false, { promotedFrom: { ...from, ...more } });
      assert.deepEqual(await record(clients, { ...run, runId: 'r1' }), { version: 1 });
      assert.deepEqual(await promote('r2'), { version: 2 });
      assert.deepEqual(await promote('r3'), { version: 2 }, 'the same is no other version');
      assert.deepEqual(await promote('r4', { version: 13 }), { version: 3 });
      assert.deepEqual(await record(clients, { ...run, runId: 'r5' }, false), { version: 3 });
      const versions = await readVersions(clients.kubernetes, 'sandbox');
      assert.deepEqual(
        versions.map(({ promotedFrom }) => promotedFrom?.version),
        [13, 12, undefined],
      );
    }));

  test('hold what was deployed, and no secret', () =>
    withFakeClients(async ({ clients, cluster, run }) => {
      cluster.objects.set(...helmSecret(1, 'd1'));
      assert.deepEqual(await record(clients, run), { version: 1 });
      const [version] = await readVersions(clients.kubernetes, 'sandbox');
      assert.deepEqual(
        version?.releases.map(({ name, revision, digest, chart, images }) => ({
          name,
          revision,
          digest,
          chart: chart.version,
          images,
        })),
        [
          {
            name: 'api',
            revision: 1,
            digest: 'd1',
            chart: '0.1.0',
            images: [{ image: 'registry/api:d1' }],
          },
        ],
      );
      const kept = cluster.objects.get('/api/v1/namespaces/ananta-system/configmaps/version-sandbox-1');
      assert.equal(kept?.['immutable'], true);
      assert.doesNotMatch(JSON.stringify(kept), new RegExp(SECRET));
      assert.ok(
        cluster.applied.some(({ path }) => path === '/api/v1/namespaces/ananta-system'),
        'the namespace is made when it is missing',
      );
    }));

  test('once per run, however often the acknowledgement is lost', () =>
    withFakeClients(async ({ clients, cluster, run }) => {
      cluster.objects.set(...helmSecret(1, 'd1'));
      assert.deepEqual([await record(clients, run), await record(clients, run)], [{ version: 1 }, { version: 1 }]);
      assert.equal((await listVersions(clients.kubernetes, 'sandbox')).length, 1);
    }));

  test('none for a run that changed nothing, unless there is none yet', () =>
    withFakeClients(async ({ clients, cluster, run }) => {
      cluster.objects.set(...helmSecret(1, 'd1'));
      assert.deepEqual(await record(clients, run, false), { version: 1 });
      assert.deepEqual(await record(clients, { ...run, runId: 'run-2' }, false), { version: 1 });
      // An operation that was cut off before it recorded its version: the next operation records it.
      cluster.objects.set(...helmSecret(2, 'd2'));
      assert.deepEqual(await record(clients, { ...run, runId: 'run-3' }, false), { version: 2 });
      assert.deepEqual(await record(clients, { ...run, runId: 'run-4' }, true), { version: 3 });
    }));

  test('what has not changed since the version before is not read again', () =>
    withFakeClients(async ({ clients, cluster, run }) => {
      cluster.objects.set(...helmSecret(1, 'd1'));
      await record(clients, run);
      const [path, secret] = helmSecret(2, 'd1');
      cluster.objects.set(path, { ...secret, data: { release: 'damaged' } });
      await record(clients, { ...run, runId: 'run-2' });
      assert.deepEqual(
        (await readVersions(clients.kubernetes, 'sandbox')).map(({ version, releases }) => [
          version,
          releases[0]?.revision,
        ]),
        [
          [2, 2],
          [1, 1],
        ],
      );
    }));

  test("Helm's revisions that no version needs go, those that one needs stay", () =>
    withFakeClients(async ({ clients, cluster, run }) => {
      cluster.objects.set(...helmSecret(1, 'd1', 'superseded'));
      cluster.objects.set(...helmSecret(2, 'd1'));
      await record(clients, run);
      cluster.objects.set(...helmSecret(2, 'd1', 'superseded'));
      cluster.objects.set(...helmSecret(3, 'lost', 'failed'));
      cluster.objects.set(...helmSecret(4, 'd2'));
      await record(clients, { ...run, runId: 'run-2' });
      assert.deepEqual(
        [...cluster.objects.keys()].filter((path) => path.includes('sh.helm')).map((path) => path.split('.v').at(-1)),
        ['2', '4'],
      );
    }));

  test("another environment's releases and versions are left alone", () =>
    withFakeClients(async ({ clients, cluster, run }) => {
      const [path, secret] = helmSecret(1, 'd1', 'superseded');
      cluster.objects.set(path, {
        ...secret,
        metadata: { ...secret.metadata, labels: { ...secret.metadata.labels, 'ananta-environment': 'other' } },
      });
      await createVersion(clients.kubernetes, content('x', { environment: 'other' }));
      cluster.objects.set(...helmSecret(2, 'd2'));
      assert.deepEqual(await record(clients, run), { version: 1 });
      assert.ok(cluster.objects.has(path));
      assert.equal((await listVersions(clients.kubernetes, 'other')).length, 1);
    }));

  test('two at once get two numbers', () =>
    withFakeClients(async ({ clients }) => {
      const numbers = await Promise.all(
        ['a', 'b', 'c'].map((runId) => createVersion(clients.kubernetes, content(runId))),
      );
      assert.deepEqual(numbers.sort(), [1, 2, 3]);
    }));

  test('the oldest go, the newest never does, and no number comes twice', () =>
    withFakeClients(async ({ clients }) => {
      for (const runId of ['a', 'b', 'c']) await createVersion(clients.kubernetes, content(runId));
      assert.deepEqual(
        (await keepNewest(clients.kubernetes, 'sandbox', 2)).map(({ version }) => version),
        [3, 2],
      );
      assert.deepEqual(
        (await keepNewest(clients.kubernetes, 'sandbox', 0)).map(({ version }) => version),
        [3],
      );
      assert.equal(await createVersion(clients.kubernetes, content('d')), 4);
    }));

  test('a damaged one is named', () =>
    withFakeClients(async ({ clients, cluster }) => {
      await createVersion(clients.kubernetes, content('a'));
      const path = '/api/v1/namespaces/ananta-system/configmaps/version-sandbox-1';
      cluster.objects.set(path, { ...cluster.objects.get(path)!, data: { version: '{}' } });
      await assert.rejects(
        readVersions(clients.kubernetes, 'sandbox'),
        /ananta-system\/version-sandbox-1 does not hold a platform version/,
      );
    }));
});
