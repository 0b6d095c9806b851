/**
 * A user may keep environments of their own in a checkout, finished or not: tests must not depend on them. The tests
 * that read the folder of environments as a whole are run once more in a copy that has such files.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { execa } from 'execa';
import { copyOfCheckout } from '../support/checkout.ts';

const TESTS = ['environment/load', 'environment/platform', 'cli/documented'].map((name) => `test/${name}.test.ts`);
/** Among them names that are near those of the repository, and settings that change what they extend. */
const THEIRS: Record<string, string> = {
  'anna.yaml': 'extends: sandbox\ndescription: Mine\nprotected: true\nplatform: mini\n',
  'stage.yaml': 'extends: staging\ndescription: Mine\nreplicas: {services: {nobody: 3}}\n',
  'prod2.yaml': 'extends: nowhere\n',
  'half.yaml': 'description: [not\n  yet',
  'old.yml': 'extends: _base\n',
  'dev.yaml~': 'extends: _base\n',
  '_shared.yaml': 'domian: x\n',
};

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-theirs-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test("somebody's own files in environments/ change nothing for the tests", async () => {
  const checkout = await copyOfCheckout(join(folder, 'checkout'), ['README.md', 'CONTRIBUTING.md', 'docs', 'test']);
  const environments = join(checkout, 'environments');
  for (const [name, text] of Object.entries(THEIRS)) await writeFile(join(environments, name), text);
  await symlink('anna@laptop.1234', join(environments, '.#anna.yaml'));
  await mkdir(join(environments, 'archive.yaml'));
  const { exitCode, all } = await execa(process.execPath, ['--test', '--test-isolation=none', ...TESTS], {
    cwd: checkout,
    // A test that is started by another one would do nothing.
    env: { NODE_TEST_CONTEXT: undefined },
    all: true,
    reject: false,
  });
  assert.equal(exitCode, 0, all.slice(-5_000));
  assert.ok(/pass [1-9]\d/.test(all), all.slice(-500));
});
