/**
 * Backups and checkpoints in a bucket: written, listed, read back and pruned as in a folder, with keys by reference.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { verified } from '../../../src/cli/backup/verify.ts';
import { createActivities } from '../../../src/activities/index.ts';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import type { Activities } from '../../../src/contract/activities.ts';
import { makeKeyPair } from '../../../src/effects/backup/age.ts';
import { readArchive } from '../../../src/effects/backup/archive.ts';
import { keptAt, placeFor } from '../../../src/effects/backup/place/index.ts';
import { readAttempts } from '../../../src/effects/checkpoint/attempt.ts';
import { checkDump } from '../../../src/effects/checkpoint/restore.ts';
import { makeCheckpoint } from '../../../src/effects/checkpoint/take.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { commandScope } from '../../../src/effects/effect.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { type FakeS3, fakeS3 } from '../../support/fakes/s3.ts';
import { testScope } from '../../support/scope.ts';

const { identity, recipient } = await makeKeyPair();
const signal = new AbortController().signal;

interface Stored extends FakeParts {
  store: FakeS3;
  /** Makes a backup with the environment's file read anew. */
  make: () => ReturnType<Activities['makeBackup']>;
}

async function withBucket(more: string, work: (parts: Stored) => Promise<void>): Promise<void> {
  const store = await fakeS3();
  try {
    await withFakeClients(async (parts) => {
      const { clients, folder, run, cluster } = parts;
      const { config } = clients;
      for (const name of ['_base.yaml', 'sandbox.yaml'])
        await copyFile(join(config.environmentsDir, name), join(folder, name));
      const own = await readFile(join(folder, 'sandbox.yaml'), 'utf8');
      const to = `{bucket: ${store.bucket}, prefix: ops/sandbox, endpoint: '${store.endpoint}', credentials: {accessKey: {env: STORE_KEY}, secretKey: {secret: {name: store, key: secret, namespace: ops}}}}`;
      await writeFile(
        join(folder, 'sandbox.yaml'),
        `${own}\nbackup: {recipients: [${recipient}], to: ${to}, keep: 2}\n${more}\n`,
      );
      Object.assign(clients, {
        config: { ...config, environmentsDir: folder, userEnv: { ...config.userEnv, STORE_KEY: store.accessKey } },
      });
      cluster.objects.set('/api/v1/namespaces/ops/secrets/store', {
        metadata: { name: 'store', namespace: 'ops', uid: 's', resourceVersion: '1' },
        data: { secret: Buffer.from(store.secretKey).toString('base64') },
      });
      const activities = createActivities(clients, () => testScope());
      await activities.openVault(run);
      await activities.configureVault(run);
      await activities.seedVault(run);
      let hour = 1;
      const make: Stored['make'] = () => activities.makeBackup({ run, at: `2026-11-30T0${hour++}:30:00.000Z` });
      await work({ ...parts, store, make });
    });
  } finally {
    await store.close();
  }
}

async function environmentOf({ clients }: FakeParts): Promise<Environment> {
  const { loadEnvironment } = await import('../../../src/environment/load.ts');
  return loadEnvironment('sandbox', clients.config);
}

const ofHour = (hour: number): string => `ops/sandbox/ananta-sandbox-20261130T0${hour}3000Z.tar.age`;

describe('backups in a bucket', () => {
  test('whole, read back with the key, pruned by their number; what others keep there stays', async () => {
    await withBucket('', async (parts) => {
      const { store, make } = parts;
      store.objects.set('ops/sandbox/notes.txt', {
        content: Buffer.from('mine'),
        modified: new Date(),
        encryption: undefined,
      });
      store.objects.set('ops/sandbox/2/ananta-sandbox-20250101T010000Z.tar.age', {
        content: Buffer.from('of another folder'),
        modified: new Date(),
        encryption: undefined,
      });
      const first = await make();
      assert.ok('file' in first);
      assert.equal(first.file, `s3://${store.bucket}/${ofHour(1)}`);
      assert.equal(store.objects.get(ofHour(1))?.content.length, first.bytes);
      const clients = { ...parts.clients, environment: await environmentOf(parts) };
      const { manifest } = await readArchive(keptAt(clients, first.file, signal), [identity]);
      assert.equal(manifest.environment, 'sandbox');
      assert.doesNotMatch(store.objects.get(ofHour(1))!.content.toString('latin1'), /manifest/, 'nothing in clear');
      await make();
      const third = await make();
      assert.deepEqual('pruned' in third && third.pruned, ['ananta-sandbox-20261130T013000Z.tar.age']);
      assert.deepEqual([...store.objects.keys()].sort(), [
        'ops/sandbox/2/ananta-sandbox-20250101T010000Z.tar.age',
        ofHour(2),
        ofHour(3),
        'ops/sandbox/notes.txt',
      ]);
      await assert.rejects(readArchive(keptAt(clients, first.file, signal), [identity]), /There is no file s3:/);
      store.fail('GET', 'cut', true);
      const second = `s3://${store.bucket}/${ofHour(2)}`;
      await assert.rejects(readArchive(keptAt(clients, second, signal), [identity]), {
        type: 'Unreachable',
        message: /GET s3:\/\/backups\/ops.*the store at .* cannot be reached/,
      });
      const kept = keptAt(clients, second, signal);
      // What is not there says nothing of what is in it.
      let opened = 0;
      const cutLater = (): ReturnType<typeof kept.open> => {
        if (++opened === 2) store.fail('GET', 'cut', true);
        return kept.open();
      };
      await assert.rejects(verified({ ...kept, open: cutLater }, [identity]), { type: 'Unreachable' });
      assert.throws(() => keptAt(clients, 's3://elsewhere/x', signal), /names neither in backup\.to nor in/);
    });
  });

  test('made although the store deletes nothing, which is told; left uploads of ours go after a day, others stay', async () => {
    await withBucket('', async ({ store, make }) => {
      const began = new Date(Date.now() - 25 * 3_600_000);
      const left = (key: string, at = began): Parameters<FakeS3['uploads']['set']>[1] => ({
        key,
        parts: new Map(),
        began: at,
        encryption: undefined,
      });
      store.uploads.set('ours', left(ofHour(9)));
      store.uploads.set('now', left(ofHour(8), new Date()));
      store.uploads.set('others', left('ops/sandbox/film.mp4'));
      for (let count = 0; count < 2; count += 1) await make();
      assert.deepEqual([...store.uploads.keys()], ['now', 'others']);
      store.fail('DELETE', { status: 403, code: 'AccessDenied' });
      const third = await make();
      assert.ok('left' in third);
      assert.deepEqual(third.pruned, []);
      assert.match(
        third.left ?? '',
        /Older backups in s3:\/\/backups\/ops\/sandbox\/ could not be removed: .*AccessDenied/,
      );
      assert.equal(store.objects.size, 3);
    });
  });

  test('a key that is not where the file says: refused by the name of the field', async () => {
    await withBucket('', async ({ cluster, make, store }) => {
      cluster.objects.delete('/api/v1/namespaces/ops/secrets/store');
      await assert.rejects(
        make(),
        /backup\.to\.credentials\.secretKey \(key secret of Secret ops\/store\) is not there/,
      );
      assert.deepEqual(store.requests, []);
    });
  });

  test('content that is cut off is no object', async () => {
    await withBucket('', async (parts) => {
      const place = placeFor({ ...parts.clients, environment: await environmentOf(parts) }, 'backup')!;
      const breaking = (): Promise<Readable> =>
        Promise.resolve(
          Readable.from(
            (async function* () {
              yield randomBytes(100);
              await Promise.resolve();
              throw new Error('Vault went away');
            })(),
          ),
        );
      await assert.rejects(place.write('x', breaking, signal), /Vault went away/);
      assert.equal(parts.store.objects.size, 0);
    });
  });
});

describe('checkpoints in a bucket', () => {
  test('where backups go, or in a place of their own; verified by sum, pruned by any machine', async () => {
    await withBucket('checkpoints: {keep: 1}', async (parts) => {
      const { clients, cluster, store } = parts;
      const labels = { 'app.kubernetes.io/instance': 'db' };
      const pod: KubernetesObject = {
        metadata: { name: 'db-0', namespace: 'ns', uid: 'pod', resourceVersion: '1', labels },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
        spec: { containers: [] },
      };
      cluster.objects.set('/api/v1/namespaces/ns/pods/db-0', pod);
      const dump = randomBytes(50_000);
      clients.kubernetes.execStream = () =>
        Promise.resolve({ stdout: Readable.from([dump]), ended: Promise.resolve({ exitCode: 0, stderr: '' }) });
      const placed = {
        ...clients,
        environment: await environmentOf(parts),
        catalog: {
          ...clients.catalog,
          services: [{ ...clients.catalog.services[0]!, name: 'db', namespace: 'ns', ports: [] }],
          databases: [{ server: 'db', name: 'main', owner: 'owner', password: { path: 'p', key: 'k' } }],
        },
      };
      const take = (run: string): ReturnType<typeof makeCheckpoint> =>
        makeCheckpoint(placed, { database: 'db/main', before: [], run, by: 'a@b' }, commandScope(signal));
      const first = await take('1');
      const { file, keeper, dump: sum, encrypted } = await take('2');
      assert.match(file ?? '', /^s3:\/\/backups\/ops\/sandbox\/ananta-sandbox-checkpoint-db-main-.*\.dump\.age$/);
      assert.equal(keeper, 's3://backups');
      assert.equal(sum?.bytes, dump.length);
      assert.deepEqual(
        [...store.objects].map(([key, { content }]) => [`s3://backups/${key}`, content.length]),
        [[file, encrypted?.bytes]],
        'the first one went',
      );
      const record = { ...first, file: file!, dump: sum, encrypted };
      await checkDump({ record, file: keptAt(placed, file!, signal), identities: [identity] });
      store.fail('GET', 'cut', true);
      await assert.rejects(checkDump({ record, file: keptAt(placed, file!, signal), identities: [identity] }), {
        type: 'Unreachable',
      });
      // Whole, and then it cannot be looked at once more.
      const attempts = async (): Promise<string[]> =>
        (await readAttempts(clients.kubernetes, 'sandbox')).map((one) => one.file);
      const before = [...store.objects.keys()];
      store.fail('HEAD', { status: 403 });
      await assert.rejects(take('3'), { type: 'Forbidden' });
      assert.deepEqual([[...store.objects.keys()], await attempts()], [before, []], 'nothing is left');
      for (let count = 0; count < 2; count += 1) store.fail('HEAD', { status: 403 });
      await assert.rejects(take('3'), { type: 'Forbidden' });
      const left = [...store.objects.keys()].filter((key) => !before.includes(key));
      assert.deepEqual(
        await attempts(),
        left.map((key) => `s3://backups/${key}`),
        'or it is on record',
      );
      assert.equal(left.length, 1);
      const [stored] = store.objects.values();
      stored!.content[stored!.content.length - 5]! ^= 1;
      await assert.rejects(
        checkDump({ record, file: keptAt(placed, file!, signal), identities: [identity] }),
        /is damaged/,
      );
      assert.ok((await buffer(await keptAt(placed, file!, signal).open())).length > dump.length);
      await assert.rejects(
        checkDump({ record, file: keptAt(placed, first.file!, signal), identities: [identity] }),
        /There is no file s3:/,
      );
    });
  });
});
