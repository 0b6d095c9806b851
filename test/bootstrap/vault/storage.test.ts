import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { recordDaemon, runningDaemon } from '../../../bootstrap/process/daemon.ts';
import { emptyDeletedStorage, type VaultStorage } from '../../../bootstrap/vault/storage.ts';

const MARK = 'simulation.ananta.dev/storage';
let folder: string;
let storage: VaultStorage;
let patches: [string, unknown][];

const volume = (
  name: string,
  {
    claim = 'data-vault-0',
    namespace = 'vault-system',
    deleted = false,
    finalizers = ['kubernetes.io/pv-protection', MARK],
  } = {},
): unknown => ({
  metadata: { name, finalizers, ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
  spec: { claimRef: { namespace, name: claim } },
});
const look = (...items: unknown[]): Promise<string[]> =>
  emptyDeletedStorage(
    {
      request: (method, path, body) => {
        if (method === 'GET') return Promise.resolve({ items });
        patches.push([path, (body?.content as { metadata: { finalizers: unknown } }).metadata.finalizers]);
        return Promise.resolve(undefined);
      },
    },
    storage,
  );
const data = (): Promise<string[]> => readdir(join(folder, 'data')).catch(() => []);

describe('the folder of the embedded Vault stands for the volume of its claim', () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ananta-storage-'));
    storage = {
      claim: { namespace: 'vault-system', name: 'data-vault-0' },
      folder,
      pidFile: join(folder, 'vault.json'),
      lock: join(folder, 'vault.lock'),
    };
    await mkdir(join(folder, 'data'));
    await writeFile(join(folder, 'data', 'vault.db'), 'secrets');
    patches = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('a volume that is being deleted: the server ends, the data go, then the volume may', async () => {
    const server = spawn('sleep', ['30'], { stdio: 'ignore' });
    await recordDaemon(
      {
        name: 'vault',
        command: 'sleep',
        args: ['30'],
        env: {},
        cwd: '/',
        logFile: '',
        pidFile: storage.pidFile,
        version: '1',
        port: null,
      },
      server.pid!,
    );
    assert.deepEqual(await look(volume('pvc-1', { deleted: true })), ['pvc-1']);
    assert.deepEqual(await data(), []);
    assert.equal(await runningDaemon(storage.pidFile), undefined);
    assert.ok((await readdir(folder)).includes('vault.json'), 'it stays on record, so that it is started again');
    assert.deepEqual(patches, [['/api/v1/persistentvolumes/pvc-1', ['kubernetes.io/pv-protection']]]);
  });

  const KEPT: [what: string, items: unknown[]][] = [
    ['no volume at all, as after a lost database of the cluster', []],
    ['a volume in use', [volume('pvc-1')]],
    [
      "another claim's volume is deleted",
      [
        volume('pvc-2', { claim: 'data-redis-0', deleted: true }),
        volume('pvc-3', { namespace: 'other', deleted: true }),
      ],
    ],
    [
      'one that was dealt with already, and waits for others',
      [volume('pvc-1', { deleted: true, finalizers: ['kubernetes.io/pv-protection'] })],
    ],
  ];
  for (const [what, items] of KEPT) {
    test(`${what}: nothing is touched`, async () => {
      assert.deepEqual(await look(...items), []);
      assert.deepEqual(await data(), ['vault.db']);
      assert.deepEqual(patches, []);
    });
  }

  test('a volume from before there was the mark gets it', async () => {
    await look(volume('pvc-1', { finalizers: ['kubernetes.io/pv-protection'] }));
    assert.deepEqual(patches, [['/api/v1/persistentvolumes/pvc-1', ['kubernetes.io/pv-protection', MARK]]]);
    assert.deepEqual(await data(), ['vault.db']);
  });
});
