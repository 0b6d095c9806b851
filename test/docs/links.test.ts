/** Every link of README.md, docs/ and the other pages leads to a file that is there, and to a heading that it has. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const pages = globSync(['*.md', '{docs,environments,helm,platforms,test}/**/*.md'], { cwd: root }).sort();

/** As GitHub names the place of a heading. */
function anchors(markdown: string): Set<string> {
  const seen = new Map<string, number>();
  const found = new Set([...markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id]) => id!));
  for (const [, heading] of withoutFences(markdown).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const name = heading!
      .replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    found.add(times === 0 ? name : `${name}-${times}`);
  }
  return found;
}

function withoutFences(markdown: string): string {
  return markdown.replaceAll(/^ *(```|~~~)[\s\S]*?^ *\1 *$/gm, '');
}

function brokenLinks(page: string): string[] {
  const markdown = readFileSync(join(root, page), 'utf8');
  const text = withoutFences(markdown).replaceAll(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target]) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target!)) return [];
    const [file, anchor] = decodeURI(target!).split('#') as [string, string?];
    const path = file === '' ? join(root, page) : join(root, dirname(page), file);
    if (!existsSync(path)) return [`${page}: ${target!} (no such file)`];
    if (anchor === undefined || !path.endsWith('.md')) return [];
    return anchors(readFileSync(path, 'utf8')).has(anchor) ? [] : [`${page}: ${target!} (no such heading)`];
  });
}

test('links of the pages lead somewhere', () => {
  assert.ok(pages.length > 20, `only ${pages.length} pages`);
  assert.deepEqual(pages.flatMap(brokenLinks), []);
});

test('every page of docs/ is in its index, and none twice', () => {
  const index = readFileSync(join(root, 'docs', 'README.md'), 'utf8');
  const listed = [...index.matchAll(/^\| \[[^\]]+\]\(([a-z-]+\/[a-z-]+\.md)\)/gm)].map(([, page]) => page!).sort();
  const there = globSync('docs/**/*.md', { cwd: root })
    .map((page) => relative('docs', page))
    .filter((page) => page !== 'README.md')
    .sort();
  assert.deepEqual(listed, there);
});

test('every path into the code that a page names exists', () => {
  const missing = pages.flatMap((page) =>
    page === 'CHANGELOG.md'
      ? []
      : [...readFileSync(join(root, page), 'utf8').matchAll(/`((?:src|bootstrap|test|scripts)\/[\w./-]+)`/g)]
          .map(([, path]) => path!)
          .filter((path) => !existsSync(join(root, path)))
          .map((path) => `${page}: ${path}`),
  );
  assert.deepEqual(missing, []);
});
