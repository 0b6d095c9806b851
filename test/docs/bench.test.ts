/** The page of figures has a line for each row that `npm run bench` prints, in its order. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../src/config.ts';

const { repoRoot } = readConfig();
const page = await readFile(join(repoRoot, 'docs', 'look-up', 'bench.md'), 'utf8');
const script = await readFile(join(repoRoot, 'scripts', 'bench.ts'), 'utf8');

test('docs/look-up/bench.md lists what npm run bench prints', () => {
  const [, table = ''] = /^\| Row \|.*\n\|[-|]+\n((?:\|.*\n)+)/m.exec(page) ?? [];
  const listed = [...table.matchAll(/^\| ([^|]+?) \|/gm)].map(([, row]) => row!.replaceAll(/\d+/g, 'N'));
  const [, printed = ''] = /const rows: [^=]+= \[([\s\S]*?)\n  \];/.exec(script) ?? [];
  const rows = [...printed.matchAll(/^\s+(?:\.{3}.*\[)?\[?(?:['`] *([^'`]+)['`]),?/gm)]
    .map(([, row]) => row!.replaceAll(/\$\{measured[^}]*\}/g, 'N').replaceAll(/ *\$\{[^}]*\}/g, ''))
    .filter((row) => row !== ' MB');
  assert.ok(rows.length > 15, rows.join('\n'));
  assert.deepEqual(listed, rows);
});
