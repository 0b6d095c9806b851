/** Every fault of docs/look-up/faults.md is shown by tests that are there, under the names that the page has. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const FAULTS = 40;
const folder = join(import.meta.dirname, '..', '..', 'docs', 'look-up');
const rows = readFileSync(join(folder, 'faults.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| \d+ \| /.test(line))
  .map((line) => line.slice(2, -2).split(' | '));

/** Titles of tests and rows of their tables, whatever quotes they stand in. */
function textsOf(path: string): string[] {
  const source = readFileSync(path, 'utf8');
  return [...source.matchAll(/'((?:[^'\\\n]|\\.)+)'|"((?:[^"\\\n]|\\.)+)"|`((?:[^`\\]|\\.)+)`/g)].map(
    ([, single, double, template]) => (single ?? double ?? template ?? '').replaceAll(/\\(.)/g, '$1'),
  );
}

test('each has its row, with what causes it and what must become of it', () => {
  assert.deepEqual(
    rows.map(([number]) => Number(number)),
    Array.from({ length: FAULTS }, (_, index) => index + 1),
  );
  for (const row of rows) assert.ok(row.length === 5 && row.every((cell) => cell.trim() !== ''), row.join(' | '));
});

describe('what shows it is there', () => {
  for (const [number, fault, , , shown = ''] of rows) {
    test(`${number} ${fault}`, () => {
      const tests = [...shown.matchAll(/\[([^\]]+)\]\(([^)]+\.ts)\) "([^"]+)"/g)];
      assert.equal(tests.length, shown.split('<br>').length, shown);
      for (const [, , path = '', name = ''] of tests)
        assert.ok(
          textsOf(join(folder, path)).some((text) => text.includes(name)),
          `${path} has no "${name}"`,
        );
    });
  }
});
