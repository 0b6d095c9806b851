/** What `down --purge` takes away of an environment's state folder. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { purge } from '../../bootstrap/down.ts';
import { readConfig, stateDir } from '../../src/config.ts';

test('keys of Vault that were set aside, and the note of an initialisation, go with the keys; what others put there stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ananta-purge-'));
  try {
    const config = { ...readConfig(), stateRoot: folder, cacheDir: join(folder, 'cache') };
    const state = stateDir(config, 'shop');
    await mkdir(join(state, 'logs'), { recursive: true });
    const ours = [
      'vault-keys.json',
      'vault-keys.json.init-began',
      'vault-keys.json.2026-11-30T16-31-00-123Z.old',
    ] as const;
    const theirs = ['vault-keys.json.copy', 'notes.txt'] as const;
    for (const name of [...ours, ...theirs]) await writeFile(join(state, name), '');
    const said: string[] = [];
    const { removed, kept } = await purge('shop', config, (event) => {
      if (event.kind === 'note') said.push(event.message);
    });
    assert.deepEqual(removed.sort(), [...ours, 'logs'].sort());
    assert.deepEqual(kept.sort(), [...theirs].sort());
    assert.deepEqual((await readdir(state)).sort(), [...theirs].sort());
    assert.match(said.at(-1) ?? '', /^Not ours and therefore kept in .*: notes\.txt, vault-keys\.json\.copy\.$/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('keys of histories go with the embedded engine that they open, and stay where the histories are on another one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ananta-purge-'));
  try {
    const config = { ...readConfig(), stateRoot: folder, cacheDir: join(folder, 'cache') };
    for (const [name, engine, kept] of [
      ['here', 'engine', []],
      ['elsewhere', 'logs', ['history-keys.json']],
    ] as const) {
      const state = stateDir(config, name);
      await mkdir(join(state, engine), { recursive: true });
      await writeFile(join(state, 'history-keys.json'), '');
      assert.deepEqual((await purge(name, config, () => undefined)).kept, kept);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
