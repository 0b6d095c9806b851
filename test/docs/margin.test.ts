/** Lines of at most 120 characters where the formatter leaves them alone: in comments. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const MARGIN = 120;

/** Addresses are not broken for the sake of a margin, and texts may hold signs of comments. */
function isTooLong(line: string): boolean {
  if (line.length <= MARGIN || /\w+:\/\//.test(line)) return false;
  return /^\s*(\/\/|\/?\*)/.test(line) || /^[^'"`]* \/\/ /.test(line);
}

describe('the margin', () => {
  test('is kept', () => {
    const files = globSync('{src,bootstrap,scripts,platforms,test}/**/*.ts', { cwd: root });
    assert.ok(files.length > 100);
    const tooLong = files.flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .flatMap((line, index) => (isTooLong(line) ? [`${file}:${index + 1} has ${line.length} characters`] : [])),
    );
    assert.deepEqual(tooLong, []);
  });

  for (const [what, line, isRefused] of [
    ['a comment', ` * ${'word '.repeat(30)}`, true],
    ['a comment after a comment sign', `  // 'quoted' ${'word '.repeat(30)}`, true],
    ['a comment after code', `  const x = 1; // ${'word '.repeat(30)}`, true],
    ['an address in a comment', `// https://example.com/${'x'.repeat(120)}`, false],
    ['a text', `  const x = 'one // two ${'word '.repeat(30)}';`, false],
  ] as const)
    test(`${what} is ${isRefused ? 'refused' : 'taken'}`, () => {
      assert.equal(isTooLong(line), isRefused);
    });
});
