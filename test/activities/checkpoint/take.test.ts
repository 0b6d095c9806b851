/**
 * Checkpoints whose attempts are killed, run at the same time, or are pruned by another worker: no file is left that no
 * record names.
 */
import assert from 'node:assert/strict';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import { makeKeyPair } from '../../../src/effects/backup/age.ts';
import { readAttempts } from '../../../src/effects/checkpoint/attempt.ts';
import { keepCheckpoint, readCheckpoints } from '../../../src/effects/checkpoint/record.ts';
import { type CheckpointDone, makeCheckpoint } from '../../../src/effects/checkpoint/take.ts';
import { commandScope } from '../../../src/effects/effect.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { putServerPod } from './server-pod.ts';

const { recipient } = await makeKeyPair();
const signal = new AbortController().signal;
const DAY = 24 * 3_600_000;

/** A server whose dump is a few bytes. */
async function withServer(work: (parts: FakeParts, kept: string) => Promise<void>): Promise<void> {
  await withFakeClients(async (parts) => {
    const { clients, folder } = parts;
    const kept = join(folder, 'kept');
    putServerPod(parts);
    clients.kubernetes.execStream = () =>
      Promise.resolve({
        stdout: Readable.from([Buffer.from('a dump')]),
        ended: Promise.resolve({ exitCode: 0, stderr: '' }),
      });
    const one = clients.catalog.services[0]!;
    Object.assign(clients, {
      catalog: {
        ...clients.catalog,
        services: [{ ...one, name: 'db', namespace: 'ns', ports: [] }],
        databases: [{ server: 'db', name: 'main', owner: 'owner', password: { path: 'p', key: 'k' } }],
      },
      environment: {
        ...clients.environment,
        backup: { recipients: [recipient], to: kept, keep: 2, timeZone: 'UTC' },
      },
    });
    await work(parts, kept);
  });
}

const take = ({ clients }: FakeParts, run: string): Promise<CheckpointDone> =>
  makeCheckpoint(clients, { database: 'db/main', before: ['V2__drop.sql'], run, by: 'a@b' }, commandScope(signal));
const stored = ({ clients }: FakeParts): ReturnType<typeof readCheckpoints> =>
  readCheckpoints(clients.kubernetes, 'sandbox');
const attempts = ({ clients }: FakeParts): ReturnType<typeof readAttempts> =>
  readAttempts(clients.kubernetes, 'sandbox');

/** The worker dies between the file and its record. */
async function killedBeforeRecord(parts: FakeParts, run: string): Promise<void> {
  const { kubernetes } = parts.clients;
  const { create } = kubernetes;
  kubernetes.create = (path, object, ...more) =>
    (object as KubernetesObject).metadata.labels?.['ananta-checkpoint'] === undefined
      ? create(path, object, ...more)
      : Promise.reject(new Error('killed'));
  await assert.rejects(take(parts, run), /killed/);
  kubernetes.create = create;
}

describe('a checkpoint', () => {
  test('leaves nothing but its file and its record', async () => {
    await withServer(async (parts, kept) => {
      const { file, keeper, left } = await take(parts, 'run-1');
      assert.deepEqual([keeper, left], [hostname(), undefined]);
      assert.deepEqual(await readdir(kept), [file!.split('/').at(-1)]);
      assert.deepEqual(await attempts(parts), []);
    });
  });

  test('whose attempt was killed before its record: tried again at once; its first file goes a day later, not before', async () => {
    await withServer(async (parts, kept) => {
      await killedBeforeRecord(parts, 'run-1');
      const [{ file: orphan } = { file: '' }] = await attempts(parts);
      const { file } = await take(parts, 'run-1');
      const names = (...files: (string | undefined)[]): string[] => files.map((one) => one!.split('/').at(-1)!).sort();
      assert.deepEqual((await readdir(kept)).sort(), names(orphan, file));
      assert.equal((await attempts(parts)).length, 1, 'a worker that was cut off may still write it');
      parts.cluster.now = () => Date.now() + DAY + 60_000;
      const { file: next } = await take(parts, 'run-2');
      assert.deepEqual((await readdir(kept)).sort(), names(file, next));
      assert.deepEqual(await attempts(parts), []);
      assert.equal((await stored(parts)).length, 2);
    });
  });

  test('whose attempt was killed after its record stays, whatever its attempt says', async () => {
    await withServer(async (parts, kept) => {
      const { kubernetes } = parts.clients;
      const { remove } = kubernetes;
      kubernetes.remove = () => Promise.reject(new Error('killed'));
      const { file } = await take(parts, 'run-1');
      kubernetes.remove = remove;
      assert.equal((await attempts(parts)).length, 1);
      parts.cluster.now = () => Date.now() + DAY + 60_000;
      await take(parts, 'run-2');
      assert.ok((await readdir(kept)).includes(file!.split('/').at(-1)!));
      assert.deepEqual(await attempts(parts), []);
    });
  });

  test('that another attempt of its run has overtaken leaves the file of that one', async () => {
    await withServer(async (parts, kept) => {
      const { kubernetes } = parts.clients;
      const { execStream } = kubernetes;
      let other: CheckpointDone | undefined;
      kubernetes.execStream = async (...args) => {
        kubernetes.execStream = execStream;
        other = await take(parts, 'run-1');
        return execStream(...args);
      };
      const { file } = await take(parts, 'run-1');
      assert.equal(file, other?.file);
      assert.deepEqual(await readdir(kept), [file!.split('/').at(-1)]);
      assert.deepEqual(await attempts(parts), []);
    });
  });

  test('removes halves of killed attempts after a day; those of now, and of others, stay', async () => {
    await withServer(async (parts, kept) => {
      await take(parts, 'run-1');
      const name = (environment: string, id: string): string =>
        `ananta-${environment}-checkpoint-db-main-20260101T010000Z-${id}.dump.age.0123abcd.partial`;
      const names = [
        name('sandbox', '00000001'),
        name('sandbox', '00000002'),
        name('other', '00000003'),
        'mine.partial',
      ];
      for (const one of names) await writeFile(join(kept, one), 'half');
      const old = new Date(Date.now() - 2 * DAY);
      for (const one of names.filter((entry) => !entry.includes('00000002'))) await utimes(join(kept, one), old, old);
      await take(parts, 'run-2');
      const left = (await readdir(kept)).filter((one) => one.endsWith('.partial'));
      assert.deepEqual(left.sort(), [names[2], names[1], names[3]].sort());
    });
  });

  test('taken from another machine: older ones of a claim that is not here stay on record, with their files', async () => {
    await withServer(async (parts, kept) => {
      const record = (run: string, keeper: string): Parameters<typeof keepCheckpoint>[1] => ({
        environment: 'sandbox',
        at: `2026-01-0${run}T00:00:00.000Z`,
        run,
        by: 'a@b',
        server: 'db',
        database: 'main',
        before: [],
        file: join(kept, `ananta-sandbox-checkpoint-db-main-2026010${run}T000000Z-0000000${run}.dump.age`),
        keeper,
        seconds: 1,
      });
      await keepCheckpoint(parts.clients.kubernetes, record('1', 'claim backups'));
      await keepCheckpoint(parts.clients.kubernetes, record('2', hostname()));
      for (const run of ['a', 'b']) await take(parts, run);
      assert.deepEqual(
        (await stored(parts)).map(({ run }) => run),
        ['b', 'a', '1'],
        'that of this machine has lost its file, and goes',
      );
    });
  });

  test('is taken although the place deletes nothing, and says so', async () => {
    await withServer(async (parts) => {
      const { kubernetes } = parts.clients;
      for (const run of ['1', '2']) await take(parts, run);
      const { remove } = kubernetes;
      kubernetes.remove = (path, ...more) =>
        path.includes('attempt') ? remove(path, ...more) : Promise.reject(new Error('403 forbidden'));
      const { left } = await take(parts, '3');
      assert.match(left ?? '', /Older checkpoints in .*kept could not be removed: 403 forbidden/);
      assert.equal((await stored(parts)).length, 3);
    });
  });
});
