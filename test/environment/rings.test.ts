/** Files of rings: what they say by default, and what they may not say. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadRings } from '../../src/environment/rings.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-rings-'));
  await mkdir(join(folder, 'environments'));
  await mkdir(join(folder, 'rings'));
  for (const name of ['east', 'west', 'north'])
    await writeFile(join(folder, 'environments', `${name}.yaml`), 'description: x\n');
});
after(() => rm(folder, { recursive: true }));

async function load(text: string): ReturnType<typeof loadRings> {
  await writeFile(join(folder, 'rings', 'world.yaml'), text);
  return loadRings('world', { environmentsDir: join(folder, 'environments') });
}

test('a ring soaks for ten minutes, is looked at five times, and halts on a failure, unless it says otherwise', async () => {
  const file = await load(
    'description: x\nrings: [{name: a, environments: [east]}, {name: b, environments: [west, north], soak: {seconds: 0}, onFailure: rollback}]',
  );
  assert.deepEqual([file.soak, file.onFailure], [{ seconds: 600, looks: 5 }, 'halt']);
  assert.deepEqual(
    file.rings.map(({ soak, onFailure }) => [soak, onFailure]),
    [
      [undefined, undefined],
      [{ seconds: 0, looks: 5 }, 'rollback'],
    ],
  );
});

describe('is refused', () => {
  const cases: [string, string, RegExp][] = [
    [
      'an environment that does not exist',
      '[{name: a, environments: [est]}]',
      /rings\/world\.yaml: rings\.0\.environments: there is no environment "est".*east/,
    ],
    [
      'an environment in two rings',
      '[{name: a, environments: [east]}, {name: b, environments: [east]}]',
      /"east" is in ring a already/,
    ],
    [
      'two rings of a name',
      '[{name: a, environments: [east]}, {name: a, environments: [west]}]',
      /"a" stands here twice/,
    ],
    ['a ring without environments', '[{name: a, environments: []}]', /rings\.0\.environments/],
    ['no rings', '[]', /rings/],
    ['a key that nobody knows', '[{name: a, environments: [east], soka: 1}]', /soka/],
  ];
  for (const [name, rings, message] of cases)
    test(name, () =>
      assert.rejects(load(`description: x\nrings: ${rings}`), { name: 'ConfigurationError', exitCode: 3, message }),
    );
  test('a file that is not there', () =>
    assert.rejects(
      loadRings('wrld', { environmentsDir: join(folder, 'environments') }),
      /no such file of rings.*world/,
    ));
});
