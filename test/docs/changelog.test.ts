/**
 * The changelog, package.json and `ananta --version` name one version; its sections have one form, and nothing stands
 * twice.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readConfig } from '../../src/config.ts';

const { repoRoot } = readConfig();
const read = (name: string): string => readFileSync(join(repoRoot, name), 'utf8');
const versionOf = (name: string): unknown => (JSON.parse(read(name)) as { version: unknown }).version;
const text = read('CHANGELOG.md');
const versions = text.split(/^## /m).slice(1);

describe('the changelog', () => {
  test('begins with what is unreleased, then has the version of package.json', () => {
    assert.match(versions[0] ?? '', /^Unreleased\n/);
    const [, newest] = /^(\d+\.\d+\.\d+)(?: \(\d{1,2} [A-Z][a-z]+ \d{4}\))?\n/.exec(versions[1] ?? '') ?? [];
    assert.equal(newest, versionOf('package.json'));
    assert.equal(versionOf('package-lock.json'), versionOf('package.json'));
  });

  test('groups what a version brings by Added, Changed and Fixed', () => {
    for (const version of versions) {
      const groups = [...version.matchAll(/^### (.*)$/gm)].map(([, group]) => group!);
      assert.deepEqual(
        groups,
        ['Added', 'Changed', 'Fixed', 'Removed'].filter((group) => groups.includes(group)),
        version.split('\n', 1)[0],
      );
    }
  });

  test('says nothing twice', () => {
    const lines = [...text.matchAll(/^- (.*)$/gm)].map(([, line]) => line!);
    assert.ok(lines.length > 100);
    assert.deepEqual(
      lines.filter((line, at) => lines.indexOf(line) !== at),
      [],
    );
  });
});
