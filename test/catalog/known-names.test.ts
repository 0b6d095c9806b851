/**
 * The Ananta Platform is known by its own definition alone (src/catalog, helm/, environments/): neither the code that
 * deploys any platform nor its tests name a service, a Vault path or a namespace of it.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';
import type { Catalog } from '../../src/catalog/schema.ts';
import { readConfig } from '../../src/config.ts';
import { allReleases } from '../../src/plan/releases.ts';
import { wholeMini } from '../support/mini.ts';

const { repoRoot } = readConfig({});
const CODE = ['src/**/*.ts', 'bootstrap/**/*.ts', 'scripts/**/*.ts'];
/** Tests of the definition itself, of the charts and values that belong to it, and of it deployed whole. */
const ITS_OWN = ['catalog', 'helm', 'images', 'node', 'e2e/ananta'];
const TESTS = ['test/**/*.ts', ...ITS_OWN.map((folder) => `!test/${folder}/**`)];

/** Names that mean something else, too. */
const OTHER_MEANINGS: Record<string, string> = {
  argocd: 'a program, and what it calls its own Secrets',
  'cloudnative-pg': "a program, and the key of its publisher's chart",
  jaeger: "a program, and the key of its publisher's chart",
  keycloak: "a program, and the key of its publisher's chart",
  rabbitmq: "a program, and the key of its publisher's chart",
  temporal: 'the engine',
  'temporal-ui': "the engine's web interface",
  'temporal-system': "the engine's word for all of its namespaces",
  'ananta-platform': 'the label that says the platform of a release',
  'control-plane': 'the role of a node',
  dashboard: 'a word',
  notifications: 'a word',
};
/** The commands in docs pages are checked against the platform that the pages are about. */
const ABOUT_THE_PLATFORM = ['test/cli/documented.test.ts'];
/** The choice of a platform reads the default one; publishers' charts are the default one's, and read from it. */
const READERS = ['test/environment/platform.test.ts', 'test/integration/charts.test.ts'];

const namesOf = (catalog: Catalog): string[] => [
  ...allReleases(catalog).map(({ name }) => name),
  ...catalog.secretPaths.map(({ path }) => path),
  ...catalog.namespaces.map(({ name }) => name),
];
const shared = new Set(namesOf(await wholeMini()));
const names = [...new Set(namesOf(loadCatalog()))].filter((name) => !shared.has(name) && !(name in OTHER_MEANINGS));
/** A name that is not a part of a longer one. */
const NAMED = new RegExp(
  `(?<![\\w-])(?:${names
    .sort((a, b) => b.length - a.length)
    .map((name) => name.replace('/', '\\\\?/'))
    .join('|')})(?![\\w-])`,
);
const COUNTED = /\b(?:48|forty-eight) (?:services|rows)\b|\b(?:14|fourteen) phases\b/i;

/** @returns file, line and text of what is found */
function found(globs: readonly string[], pattern: RegExp): string[] {
  const excluded = globs.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1));
  return globSync(
    globs.filter((glob) => !glob.startsWith('!')),
    { cwd: repoRoot, exclude: excluded },
  )
    .filter((file) => !file.startsWith('src/catalog/') && !ABOUT_THE_PLATFORM.includes(file))
    .sort()
    .flatMap((file) =>
      readFileSync(join(repoRoot, file), 'utf8')
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );
}

const NOTHING: string[] = [];

describe('the Ananta Platform is known by its definition alone', () => {
  test('the names that are looked for are those of the catalog, and are found where they stand', () => {
    assert.ok(names.length > 70, `${names.length} names`);
    for (const name of Object.keys(OTHER_MEANINGS)) assert.ok(namesOf(loadCatalog()).includes(name), name);
    for (const text of [`'${names[0]}'`, `${names[1]}.ns.svc`, `Deployment ns/${names[2]}`, 'the 48 services'])
      assert.ok(NAMED.test(text) || COUNTED.test(text), text);
    assert.ok(!NAMED.test(`${names[0]}-else`));
  });

  for (const [what, globs] of [
    ['code', CODE],
    ['tests of what deploys any platform', TESTS],
  ] as const) {
    test(`${what}: no service, path or namespace of it`, () => assert.deepEqual(found(globs, NAMED), NOTHING));
    test(`${what}: no count of its services and phases`, () => assert.deepEqual(found(globs, COUNTED), NOTHING));
  }

  test('one file of the code reads its catalog: the one that chooses the platform', () => {
    const rows = /from '.*\/catalog\/(?!schema\.ts|validate\.ts|problems\.ts|check\/cycle\.ts)/;
    assert.deepEqual(
      [...new Set(found(['src/**/*.ts', 'bootstrap/**/*.ts'], rows).map((line) => line.split(':')[0]))],
      ['src/environment/platform.ts'],
    );
  });

  test('tests of what deploys any platform do not read it', () => {
    const lines = found(TESTS, /from '.*src\/catalog\/index\.ts'/);
    assert.deepEqual([...new Set(lines.map((line) => line.split(':')[0]))], READERS);
  });
});
