import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { METRICS } from '../../src/contract/metrics.ts';

const page = await readFile(join(readConfig().repoRoot, 'docs', 'look-up', 'telemetry.md'), 'utf8');

test('the page names every metric as it is exported, and no other', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `ananta_'));
  assert.deepEqual(
    rows,
    Object.entries(METRICS).map(
      ([name, { kind, labels, help }]) =>
        `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
    ),
  );
});
