import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { tidied } from '../../src/process/kept-files.ts';

let folder: string;
before(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'ananta-kept-')), 'cache');
});
after(() => rm(join(folder, '..'), { recursive: true, force: true }));

const used = (...names: string[]): Set<string> => new Set(names);

test('a folder is made, and what is in it stays as long as it is not too much', async () => {
  assert.deepEqual(await tidied(folder, used('a'), 2), used());
  for (const name of ['a', 'b']) await writeFile(join(folder, name), name);
  assert.deepEqual(await tidied(folder, used('a'), 2), used('a', 'b'));
});

test('what is used stays when the rest goes', async () => {
  for (const name of ['c', 'd', 'e']) await writeFile(join(folder, name), name);
  assert.deepEqual(await tidied(folder, used('b'), 2), used('b'), 'five files are too many');
  assert.deepEqual(await readdir(folder), ['b']);
});

test('a platform of more services than the folder is for keeps all of its files', async () => {
  const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `service-${index}`);
  for (const name of many(40)) await writeFile(join(folder, name), name);
  await rm(join(folder, 'b'));
  assert.equal((await tidied(folder, new Set(many(10)), 2)).size, 40);
  await writeFile(join(folder, 'one-more'), '');
  assert.equal((await tidied(folder, new Set(many(10)), 2)).size, 10);
});
