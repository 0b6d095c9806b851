/** A cache folder that does not exist is reported at once. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { cacheFolderProblem, checkCacheFolder } from '../../bootstrap/tools/cache-folder.ts';
import { readConfig } from '../../src/config.ts';
import { explain } from '../../src/cli/shared/explain.ts';

test('a home folder that does not exist is named; one that does, or a cache that is there, is fine', async () => {
  const home = await mkdtemp(join(tmpdir(), 'ananta-home-'));
  try {
    await checkCacheFolder(readConfig({ HOME: home }));
    await checkCacheFolder(readConfig({ HOME: join(home, 'missing'), ANANTA_CACHE_DIR: home }));
    await assert.rejects(checkCacheFolder(readConfig({ HOME: join(home, 'missing') })), (error: Error) => {
      assert.match(
        error.message,
        /cannot be written: the home folder .*missing \(HOME\) does not exist.*ANANTA_CACHE_DIR/,
      );
      assert.equal(explain(error, { command: 'doctor' }).exitCode, 3);
      return true;
    });
  } finally {
    await rm(home, { recursive: true });
  }
});

test('a home that npm has just made is none; one that was there before npm, or holds more, is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ananta-home-'));
  const problem = (home: string): Promise<string | undefined> => cacheFolderProblem(readConfig({ HOME: home }));
  try {
    const mistyped = join(folder, 'mistyped');
    await mkdir(join(mistyped, '.npm', '_logs'), { recursive: true });
    assert.match((await problem(mistyped)) ?? '', /mistyped \(HOME\) did not exist before npm/);
    await mkdir(join(mistyped, '.cache'));
    assert.equal(await problem(mistyped), undefined);
    const fresh = join(folder, 'fresh');
    await mkdir(fresh);
    await sleep(60);
    await mkdir(join(fresh, '.npm'));
    assert.equal(await problem(fresh), undefined);
  } finally {
    await rm(folder, { recursive: true });
  }
});
