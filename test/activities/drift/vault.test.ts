import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findContentDrift } from '../../../src/effects/drift/content.ts';
import { findVaultDrift } from '../../../src/effects/drift/vault.ts';
import { createActivities } from '../../../src/activities/index.ts';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import { VaultUnreachableError } from '../../../src/clients/vault/index.ts';
import type { DriftFinding } from '../../../src/contract/drift.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { miniCatalog } from '../../support/mini.ts';
import { testScope } from '../../support/scope.ts';

const signal = new AbortController().signal;

async function withInitialised(
  work: (
    parts: FakeParts,
    tools: { find: () => Promise<DriftFinding[]>; repair: () => Promise<void> },
  ) => Promise<void>,
): Promise<void> {
  await withFakeClients(async (parts) => {
    const activities = createActivities(parts.clients, () => testScope());
    const repair = async (): Promise<void> => {
      await activities.openVault(parts.run);
      await activities.configureVault(parts.run);
      await activities.seedVault(parts.run);
      await activities.syncSecrets(parts.run);
    };
    await repair();
    for (const { name, namespace } of parts.clients.catalog.services) putPod(parts, name, namespace, 'simulated');
    parts.cluster.objects.set(
      '/api/v1/nodes/simulated',
      asObject({ metadata: { name: 'simulated', labels: { type: 'kwok' } } }),
    );
    parts.cluster.objects.set('/api/v1/nodes/real', asObject({ metadata: { name: 'real' } }));
    await work(parts, {
      repair,
      find: async () => (await findVaultDrift(parts.clients, parts.clients.environment, signal)).findings,
    });
  });
}

const asObject = (object: unknown): KubernetesObject => object as KubernetesObject;

function putPod({ cluster }: FakeParts, release: string, namespace: string, nodeName: string): void {
  const status = {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'app', ready: true, restartCount: 0, state: { running: {} } }],
  };
  cluster.objects.set(
    `/api/v1/namespaces/${namespace}/pods/${release}-0`,
    asObject({
      metadata: {
        name: `${release}-0`,
        namespace,
        uid: release,
        resourceVersion: '1',
        labels: { 'app.kubernetes.io/instance': release },
      },
      spec: { nodeName, containers: [] },
      status,
    }),
  );
}

const lines = (findings: readonly DriftFinding[]): string[] =>
  findings
    .map(
      ({ kind, object, field, repair }) =>
        `${kind} ${object}${field === undefined ? '' : ` ${field}`} -> ${repair ?? 'a person'}`,
    )
    .sort();

describe('drift of Vault', () => {
  test('untouched: nothing', async () => {
    await withInitialised(async (_parts, { find }) => {
      assert.deepEqual(await find(), []);
    });
  });

  test('one request without an answer is no finding: it is asked again', async () => {
    await withInitialised(async ({ vault }, { find }) => {
      const { request } = vault;
      let asked = 0;
      vault.request = (what) => {
        asked += 1;
        return asked === 1 ? Promise.reject(new VaultUnreachableError('no answer within 5 s')) : request(what);
      };
      assert.deepEqual(await find(), []);
      assert.ok(asked > 1);
    });
  });

  test('sealed is found and stays sealed; away and made anew are told apart', async () => {
    await withInitialised(async ({ vault, clients }, { find }) => {
      vault.seal();
      assert.deepEqual(lines(await find()), ['sealed Vault -> unseal']);
      assert.equal((await clients.vault.state()).state, 'sealed');
      vault.initialized = false;
      assert.deepEqual(lines(await find()), ['missing Vault -> a person']);
      vault.cutAt(1, 'before');
      assert.deepEqual(lines(await find()), ['not-observable Vault -> a person']);
    });
  });

  test('each change is found and put back, with the same values', async () => {
    await withInitialised(async ({ vault }, { find, repair }) => {
      const values = (): unknown =>
        [...vault.kv]
          .filter(([path]) => !path.startsWith('ananta'))
          .map(([path, { versions }]) => [path, versions.at(-1)?.data]);
      const before = values();
      vault.policies.set('ananta-read-own-path', 'path "*" { capabilities = ["sudo"] }');
      vault.policies.set('other', 'x');
      vault.roles.set('ananta-api', { ...vault.roles.get('ananta-api'), token_period: 86400 });
      vault.roles.set('ananta-gone', {});
      vault.tuning.set('secret/', { max_lease_ttl: 60 });
      vault.kvConfig = { max_versions: 1 };
      vault.config = { ...vault.config, disable_iss_validation: false };
      vault.kv.get('apps/api')!.versions[0]!.deletion_time = '2026-01-01T00:00:00Z';
      const kinds = lines(await find());
      assert.ok(kinds.includes('missing Vault secret apps/api -> vault'));
      assert.ok(kinds.includes('changed Vault role ananta-api token_period -> vault'));
      for (const part of [
        'policy ananta-read-own-path',
        'mount secret/ config.max_lease_ttl',
        'mount secret/ kv.max_versions',
        'auth/kubernetes disable_iss_validation',
        'extra Vault role ananta-gone -> a person',
        'extra Vault policy other -> a person',
      ])
        assert.ok(
          kinds.some((line) => line.includes(part)),
          `${part} in\n${kinds.join('\n')}`,
        );
      await repair();
      assert.deepEqual(lines(await find()), [
        'extra Vault policy other -> a person',
        'extra Vault role ananta-gone -> a person',
      ]);
      assert.deepEqual(values(), before);
    });
  });

  test('the mount itself and the auth method come back; a login without a role is not observable', async () => {
    await withInitialised(async ({ vault, clients }, { find, repair }) => {
      vault.roles.delete('ananta-deployer');
      assert.deepEqual(lines(await find()), ['not-observable Vault login of the deployer -> a person']);
      vault.auths.delete('kubernetes/');
      assert.deepEqual(lines(await find()), ['not-observable Vault login of the deployer -> a person']);
      await repair();
      assert.deepEqual(await find(), []);
      assert.equal(await clients.vault.root.isKept(), false);
    });
  });

  test('a right that was taken away: what it hides is not observable, all else is still compared', async () => {
    await withInitialised(async ({ vault }, { find }) => {
      vault.denied = /secret\/metadata/;
      vault.policies.delete('ananta-read-own-path');
      assert.deepEqual(lines(await find()), [
        'missing Vault policy ananta-read-own-path -> vault',
        'not-observable Vault secrets -> a person',
      ]);
    });
  });

  test('a Secret that somebody took over, one that is gone, one that nothing reads', async () => {
    await withInitialised(async (parts, { find, repair }) => {
      const path = '/api/v1/namespaces/stores/secrets/vault-stores-cache';
      const secret = parts.cluster.objects.get(path)!;
      parts.cluster.objects.set(
        path,
        asObject({ ...secret, data: { 'redis-password': Buffer.from('hunter2').toString('base64') } }),
      );
      parts.cluster.objects.set(
        '/api/v1/namespaces/apps/secrets/vault-old',
        asObject({ ...secret, metadata: { ...secret.metadata, name: 'vault-old', namespace: 'apps' } }),
      );
      const found = await find();
      assert.deepEqual(lines(found), [
        'changed Secret stores/vault-stores-cache data.redis-password -> secret',
        'extra Secret apps/vault-old -> a person',
      ]);
      assert.doesNotMatch(JSON.stringify(found), /hunter2|aHVudGVy/);
      await repair();
      parts.cluster.objects.delete('/api/v1/namespaces/apps/secrets/vault-old');
      assert.deepEqual(await find(), []);
      parts.cluster.objects.delete(path);
      assert.deepEqual(lines(await find()), ['missing Secret stores/vault-stores-cache -> secret']);
    });
  });
});

describe('contents', () => {
  const withStore = (
    work: (parts: FakeParts, look: () => Promise<{ findings: DriftFinding[]; simulated: string }>) => Promise<void>,
  ): Promise<void> =>
    withInitialised(async (parts) => {
      const mini = await miniCatalog();
      const services = [
        ...parts.clients.catalog.services,
        ...mini.services.filter(({ name }) => name === 'storage' || name === 'database'),
      ];
      const environment = { ...parts.clients.environment, platform: mini.name };
      const clients = { ...parts.clients, environment, catalog: { ...mini, services } };
      await work(parts, () => findContentDrift(clients, signal));
    });

  test('simulated pods are never asked, and named in one line', async () => {
    await withStore(async (parts, look) => {
      parts.clients.kubernetes.exec = () => Promise.reject(new Error('asked'));
      putPod(parts, 'storage', 'data', 'simulated');
      putPod(parts, 'database', 'data', 'simulated');
      assert.deepEqual(await look(), {
        findings: [],
        simulated: "Simulated pods cannot show: buckets (1 set), migration ledgers (1); there the Jobs' receipts count",
      });
    });
  });

  test('real pods are asked with their own tools; no answer is no finding of what is missing', async () => {
    await withStore(async (parts, look) => {
      putPod(parts, 'storage', 'data', 'real');
      putPod(parts, 'database', 'data', 'real');
      parts.clients.kubernetes.exec = (_pod, _container, command) =>
        Promise.resolve(
          command.at(-1)!.includes('mc ls')
            ? {
                exitCode: 0,
                stdout: '{"key":"uploads/"}\n{"key":"avatars/"}\n',
                stderr: '',
              }
            : { exitCode: 1, stdout: '', stderr: 'ERROR:  relation "flyway_schema_history" does not exist' },
        );
      const first = await look();
      assert.deepEqual(
        [lines(first.findings), first.simulated],
        [['missing Bucket storage/exports -> job', 'missing Migration ledger of database/main -> job'], ''],
      );
      assert.deepEqual(
        first.findings.map(({ release }) => release),
        ['storage-buckets', 'schema'],
      );

      parts.clients.kubernetes.exec = () => Promise.reject(new Error('403 this is not allowed'));
      assert.deepEqual(lines((await look()).findings), [
        'not-observable Buckets of storage -> a person',
        'not-observable Migration ledger of database/main -> a person',
      ]);
    });
  });
});
