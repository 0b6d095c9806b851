import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { privateFolder, removeDurably, writeFileDurably } from '../../src/process/files.ts';

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'files-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a file is replaced as a whole, readable by its owner only, with nothing left beside it', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'deep', 'secret.json');
    await writeFileDurably(path, 'one');
    await writeFileDurably(path, 'two');
    assert.deepEqual(
      [await readFile(path, 'utf8'), (await stat(path)).mode & 0o777, (await stat(join(folder, 'deep'))).mode & 0o777],
      ['two', 0o600, 0o700],
    );
    assert.deepEqual(await readdir(join(folder, 'deep')), ['secret.json']);
  });
});

test('a write that fails leaves the old content and no temporary file', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'secret.json');
    await writeFileDurably(path, 'kept');
    await assert.rejects(writeFileDurably(path, Symbol('no text') as unknown as string));
    assert.deepEqual([await readFile(path, 'utf8'), await readdir(folder)], ['kept', ['secret.json']]);
  });
});

test('removing what is not there is no error', async () => {
  await withFolder(async (folder) => {
    await removeDurably(join(folder, 'nothing'));
    await removeDurably(join(folder, 'no', 'folder'));
  });
});

test('a folder that was open to others is closed to them', async () => {
  await withFolder(async (folder) => {
    const { mkdir } = await import('node:fs/promises');
    const path = join(folder, 'open');
    await mkdir(path, { mode: 0o755 });
    await privateFolder(path);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
  });
});
