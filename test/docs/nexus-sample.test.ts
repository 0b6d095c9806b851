import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

test('the sample caller of the page is the workflow that the tests run', async () => {
  const root = new URL('../../', import.meta.url);
  const [page, file] = await Promise.all(
    ['docs/look-up/nexus.md', 'test/workflows/nexus/release.ts'].map((path) => readFile(new URL(path, root), 'utf8')),
  );
  const sample = /```ts\n([^]*?)```/.exec(page ?? '')?.[1];
  assert.ok(sample);
  const code = file?.slice(file.indexOf('import '));
  assert.ok(
    code?.startsWith(sample),
    'docs/look-up/nexus.md shows another workflow than test/workflows/nexus/release.ts',
  );
});
