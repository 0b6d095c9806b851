/**
 * Vault has lost its data and the databases have not: no value is generated that would lock services out, and each way
 * on that the message names works.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApplicationFailure } from '@temporalio/common';
import { createActivities } from '../../../src/activities/index.ts';
import { setSecret } from '../../../src/effects/secrets.ts';
import { type ImportRequest, planImport } from '../../../src/effects/vault/secrets/import.ts';
import { findLossBefore } from '../../../src/effects/vault/secrets/loss.ts';
import { createKeySecret } from '../../../src/clients/vault/index.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { testScope } from '../../support/scope.ts';

type Values = Record<string, Record<string, string>>;

interface Lost {
  parts: FakeParts;
  before: Values;
  open: () => Promise<unknown>;
  initialise: () => Promise<void>;
  import: (request?: Partial<ImportRequest>) => Promise<Awaited<ReturnType<typeof planImport>>>;
}

function valuesOf({ vault }: FakeParts): Values {
  return Object.fromEntries(
    [...vault.kv]
      .filter(([path]) => !path.startsWith('ananta-deploy/'))
      .map(([path, { versions }]) => [path, versions.at(-1)!.data!]),
  );
}

function putClaim({ cluster }: FakeParts, release: string, { namespace = 'stores', bound = true } = {}): void {
  cluster.objects.set(`/api/v1/namespaces/${namespace}/persistentvolumeclaims/data-${release}-0`, {
    metadata: {
      name: `data-${release}-0`,
      namespace,
      uid: release,
      resourceVersion: '1',
      labels: { 'app.kubernetes.io/instance': release },
    },
    spec: bound ? { volumeName: 'pvc-1' } : {},
  });
}

function wipeVault({ vault, clients }: FakeParts): void {
  Object.assign(vault, { initialized: false, sealed: true });
  for (const part of [vault.kv, vault.roles, vault.policies, vault.mounts, vault.auths, vault.roots]) part.clear();
  clients.vault.forgetLogin();
}

/** As `destroy` without data leaves it. */
function removeMadeSecrets({ cluster }: FakeParts): void {
  for (const path of cluster.objects.keys())
    if (path.includes('/secrets/vault-') && !path.includes('reviewer')) cluster.objects.delete(path);
}

/** A platform that was deployed, whose Vault is empty now, and whose Redis is not. */
async function withLostVault(
  secrets: 'secrets left' | 'no secrets',
  work: (lost: Lost) => Promise<void>,
): Promise<void> {
  await withFakeClients(async (parts) => {
    const activities = createActivities(parts.clients, () => testScope());
    const initialise = async (): Promise<void> => {
      await activities.openVault(parts.run);
      await activities.configureVault(parts.run);
      await activities.seedVault(parts.run);
      await activities.syncSecrets(parts.run);
    };
    await initialise();
    const before = valuesOf(parts);
    putClaim(parts, 'cache');
    if (secrets === 'no secrets') removeMadeSecrets(parts);
    wipeVault(parts);
    await work({
      parts,
      before,
      initialise,
      open: () => activities.openVault(parts.run),
      import: async (request = {}) => planImport(parts.clients, { file: {}, giveUp: [], ...request }),
    });
  });
}

const failureOf = (work: Promise<unknown>): Promise<ApplicationFailure> =>
  work.then(
    () => assert.fail('it went on'),
    (error: unknown) => error as ApplicationFailure,
  );

describe('a Vault that is lost beside data that are not', () => {
  test('is not initialised; services, claims and the ways on are named', async () => {
    await withLostVault('no secrets', async ({ parts, open }) => {
      const { type, message, nonRetryable } = await failureOf(open());
      assert.deepEqual(
        [type, nonRetryable, parts.vault.inits, parts.vault.initialized],
        ['SecretLost', true, 1, false],
      );
      assert.match(message, /cache: PersistentVolumeClaim stores\/data-cache-0/);
      assert.match(message, /stores\/cache redis-password/);
      assert.match(message, /Restore Vault: its volume, or a snapshot/);
      for (const way of [
        'secrets import --env sandbox --file FILE',
        '--give-up cache',
        'destroy --env sandbox --delete-data',
      ])
        assert.ok(message.includes(way), way);
      assert.equal(
        (await findLossBefore(parts.clients, 'absent'))?.claims.length,
        1,
        'known before anything is touched',
      );
    });
  });

  test('nor is anything generated where somebody else has initialised it', async () => {
    await withLostVault('no secrets', async ({ parts, initialise, before }) => {
      parts.cluster.objects.delete('/api/v1/namespaces/stores/persistentvolumeclaims/data-cache-0');
      const activities = createActivities(parts.clients, () => testScope());
      await activities.openVault(parts.run);
      await activities.configureVault(parts.run);
      putClaim(parts, 'cache');
      const { type, message } = await failureOf(initialise());
      assert.equal(type, 'SecretLost');
      assert.match(message, /Nothing was made up in Vault[^]*data-cache-0/);
      for (const [path, values] of Object.entries(valuesOf(parts)))
        for (const [key, value] of Object.entries(values)) assert.equal(value, before[path]?.[key], `${path} ${key}`);
    });
  });

  test('takes back what Kubernetes Secrets hold; only what no Secret holds is asked for', async () => {
    await withLostVault('secrets left', async ({ parts, open, before, initialise, import: bring }) => {
      const { message } = await failureOf(open());
      assert.doesNotMatch(message, /stores\/cache redis-password/);
      assert.match(message, /apps\/api api-token/);
      const planned = await bring({ file: before });
      assert.equal(planned.into, 'waiting');
      assert.ok((await planned.write()) > 0);
      await initialise();
      for (const path of Object.keys(before)) assert.deepEqual(valuesOf(parts)[path], before[path], path);
    });
  });

  test('gets all its old values from a file, and no other', async () => {
    await withLostVault('no secrets', async ({ parts, before, initialise, import: bring }) => {
      const planned = await bring({ file: before });
      assert.deepEqual([...new Set(planned.found.map(({ from }) => from))], ['the file']);
      assert.deepEqual(planned.missing, []);
      assert.equal(parts.vault.initialized, false, 'looking changes nothing');
      await planned.write();
      await initialise();
      for (const path of Object.keys(before)) assert.deepEqual(valuesOf(parts)[path], before[path], path);
      assert.deepEqual((await bring()).found, [], 'nothing waits any more');
    });
  });

  test('a part of them is not enough, and is not lost either', async () => {
    await withLostVault('no secrets', async ({ parts, before, initialise, open, import: bring }) => {
      const path = 'stores/cache';
      const first = await bring({ file: { [path]: before[path]! } });
      assert.ok(first.missing.length > 0);
      await first.write();
      const { message } = await failureOf(open());
      assert.doesNotMatch(message, /stores\/cache redis-password/);
      const rest = await bring({ file: before });
      assert.ok(!rest.found.some((value) => value.path === path));
      await rest.write();
      await initialise();
      assert.deepEqual(valuesOf(parts)[path], before[path]);
    });
  });

  test('values are made anew for data that are given up by name', async () => {
    await withLostVault('no secrets', async ({ parts, before, initialise, import: bring }) => {
      const planned = await bring({ giveUp: ['cache'] });
      assert.deepEqual([planned.missing, planned.claims.length], [[], 1]);
      await planned.write();
      await initialise();
      const path = 'stores/cache';
      assert.notEqual(valuesOf(parts)[path]!['redis-password'], before[path]!['redis-password']);
    });
  });

  test('without that word import never generates', async () => {
    await withLostVault('no secrets', async ({ initialise, import: bring }) => {
      const planned = await bring();
      assert.deepEqual([planned.found, planned.missing.length > 0], [[], true]);
      assert.equal(await planned.write(), 0);
      assert.equal((await failureOf(initialise())).type, 'SecretLost');
    });
  });

  test('single lost values can be set while Vault does not run; others are refused as ever', async () => {
    await withLostVault('no secrets', async ({ parts, before }) => {
      const [path, key] = ['stores/cache', 'redis-password'];
      assert.deepEqual(await setSecret(parts.clients, path, key, before[path]![key]!), { stored: 'waiting' });
      await assert.rejects(setSecret(parts.clients, path, key, 'another'), /never overwritten/);
    });
  });

  test('a running Vault keeps what it has, and gets what it lacks', async () => {
    await withFakeClients(async (parts) => {
      const activities = createActivities(parts.clients, () => testScope());
      await activities.openVault(parts.run);
      await activities.configureVault(parts.run);
      await activities.seedVault(parts.run);
      const [path, key] = ['stores/cache', 'redis-password'];
      const planned = await planImport(parts.clients, { file: { [path]: { [key]: 'another' } }, giveUp: [] });
      assert.deepEqual([planned.found, planned.differing], [[], [{ path, key }]]);
      parts.vault.kv.delete(path);
      const again = await planImport(parts.clients, { file: { [path]: { [key]: 'from-the-backup' } }, giveUp: [] });
      assert.equal(again.into, 'vault');
      await again.write();
      assert.equal(valuesOf(parts)[path]?.[key], 'from-the-backup');
      parts.vault.kv.delete(path);
      const outputs = { [path]: { [key]: { value: 'of-terraform', from: 'output data.cache' } } };
      const third = await planImport(parts.clients, { file: {}, outputs, giveUp: [] });
      assert.deepEqual(third.found, [{ path, key, from: 'output data.cache' }]);
      await third.write();
      assert.equal(valuesOf(parts)[path]?.[key], 'of-terraform');
    });
  });

  for (const [what, put] of [
    ['a claim that never had a volume', (parts: FakeParts) => putClaim(parts, 'cache', { bound: false })],
    ['a claim of somebody else', (parts: FakeParts) => putClaim(parts, 'their-redis')],
    [
      'a claim of the same name in another namespace',
      (parts: FakeParts) => putClaim(parts, 'cache', { namespace: 'theirs' }),
    ],
    [
      "Vault's own claim, which may hold everything",
      (parts: FakeParts) => {
        putClaim(parts, 'cache');
        putClaim(parts, 'vault', { namespace: 'vault-system' });
      },
    ],
  ] as const)
    test(`${what} stands in nobody's way`, async () => {
      await withFakeClients(async (parts) => {
        put(parts);
        assert.equal(await findLossBefore(parts.clients, 'absent'), undefined);
      });
    });

  test('values wait in the Secret of the keys, where the environment keeps those in the cluster', async () => {
    await withFakeClients(async ({ clients }) => {
      const store = createKeySecret(
        clients.kubernetes,
        { namespace: 'ananta-system', name: 'vault-keys' },
        clients.redactor,
      );
      assert.equal(await store.waiting!.read(), undefined);
      await store.waiting!.write('{"a":{"b":"c"}}');
      await store.attempt.begin('uid');
      assert.equal(await store.waiting!.read(), '{"a":{"b":"c"}}');
      await store.waiting!.write(undefined);
      assert.deepEqual([await store.waiting!.read(), await store.attempt.began()], [undefined, true]);
    });
  });
});
