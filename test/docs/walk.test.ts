/** The way of one deployment, file by file, as docs/learn/architecture.md describes it: each file leads to the next. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { WORKFLOW_TYPES } from '../../src/contract/names.ts';

const root = join(import.meta.dirname, '..', '..');
const MOST_FILES = 11;
const MOST_LINES = 250;

const text = (file: string): string => readFileSync(join(root, file), 'utf8');
const [, section = ''] =
  /## One deployment, file by file\n([\s\S]*?)\n## /.exec(text('docs/learn/architecture.md')) ?? [];
const way = [...section.matchAll(/^\| (\d+) \| `([^`]+)` \|/gm)].map(([, number, file]) => ({
  number: Number(number),
  file: file!,
}));

/** Files that a file imports, or loads when it needs them; for one that only exports, what it exports. */
function imports(file: string): string[] {
  const found = [...text(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, to]) =>
    join(dirname(file), to!),
  );
  return found.flatMap((to) => [to, ...(isBarrel(to) ? imports(to) : [])]);
}

function isBarrel(file: string): boolean {
  return existsSync(join(root, file)) && /^\s*(export [^;]*from '[^']+';\s*)+$/.test(text(file));
}

/** Steps that no import shows: another process, or a name that the engine carries. */
const BY_NAME: Record<string, (from: string, to: string) => void> = {
  'launcher.mjs': (from, to) => {
    assert.ok(from.includes(`'${'src/cli/main.ts'.replaceAll('/', "', '")}'`));
    assert.ok(to.includes('process.argv'));
  },
  'src/clients/temporal/deployments.ts': (from, to) => {
    assert.match(from, /workflow\.start\(WORKFLOW_TYPES\[operation\]/);
    const entry = /export \{([^}]*)\} from '\.\/operation\.ts'/.exec(text('src/workflows/index.ts'))?.[1] ?? '';
    assert.ok(entry.split(/[,\s]+/).includes(WORKFLOW_TYPES.deploy));
    assert.match(to, new RegExp(`export function ${WORKFLOW_TYPES.deploy}\\(`));
  },
  'src/workflows/steps/table.ts': (from, to) => {
    assert.match(from, /'applyRelease'/);
    assert.match(to, /\bapplyRelease: guarded\(/);
  },
};

describe('one deployment, file by file', () => {
  test('is told in order, from the launcher to Helm, and is not longer than it may be', () => {
    assert.deepEqual(
      way.map(({ number }) => number),
      way.map((_, at) => at + 1),
    );
    assert.deepEqual([way[0]?.file, way.at(-1)?.file], ['launcher.mjs', 'src/clients/helm/client.ts']);
    assert.ok(way.length > 5 && way.length <= MOST_FILES, `${way.length} files`);
  });

  for (const [at, { file }] of way.entries()) {
    test(file, () => {
      const lines = text(file).split('\n').length;
      assert.ok(lines <= MOST_LINES, `${lines} lines`);
      const next = way[at + 1]?.file;
      if (next === undefined) assert.match(text(file), /\bexeca\(guard, /);
      else if (BY_NAME[file]) BY_NAME[file](text(file), text(next));
      else assert.ok(imports(file).includes(next), `${file} imports none of what leads to ${next}`);
    });
  }
});
