/** Migrations of a release, and those among them that cannot be taken back. */
import type { Catalog } from '../../catalog/schema.ts';
import { isTree, type Tree, valueAt } from '../../environment/files/merge.ts';

export interface Migration {
  /** File name: `V4__drop_legacy.sql`. */
  id: string;
  /** Why nothing leads back behind it. */
  noReturn?: string;
}

/** Anything after the word is the reason: a mark that was spelled a little differently must not be overlooked. */
const MARK = /^[-/*#\s]*point-of-no-return\b[\s:–-]*(.*?)\s*(?:\*\/)?$/i;

/** From the values of a release: Flyway's order, oldest first. Empty for one that carries none. */
export function migrationsOf(values: Tree): Migration[] {
  const files = valueAt(values, ['files', 'sql']);
  if (!isTree(files)) return [];
  return Object.entries(files)
    .sort(([a], [b]) => compareIds(a, b))
    .map(([id, text]) => {
      const noReturn = markOf(typeof text === 'string' ? text : '');
      return { id, ...(noReturn === undefined ? {} : { noReturn }) };
    });
}

/** The mark stands in the comment at the head of the file, before its first statement. */
function markOf(text: string): string | undefined {
  let inBlock = false;
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    if (line === '') continue;
    if (!inBlock && !/^(?:--|\/\*|#)/.test(line)) return undefined;
    if (line.startsWith('/*')) inBlock = true;
    if (line.includes('*/')) inBlock = false;
    const mark = MARK.exec(line);
    if (mark) return mark[1] === undefined || mark[1] === '' ? 'no reason is given in the file' : mark[1];
  }
  return undefined;
}

/** Numbers in names count as numbers: V10 comes after V9. */
function compareIds(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

export interface Crossing {
  release: string;
  /** Below the checkout, where the catalog knows it: `helm/migrations/schema/V4__drop.sql`. */
  file: string;
  reason: string;
}

/** Migrations that may have run, are not part of what is gone back to, and cannot be taken back. */
export function crossings(
  catalog: Pick<Catalog, 'migrations'>,
  release: string,
  now: readonly Migration[],
  then: readonly Migration[],
): Crossing[] {
  const known = new Set(then.map(({ id }) => id));
  const folder = catalog.migrations.find(({ service }) => service === release)?.location;
  return now.flatMap(({ id, noReturn }) =>
    noReturn === undefined || known.has(id)
      ? []
      : [{ release, file: folder === undefined ? id : `helm/${folder}/${id}`, reason: noReturn }],
  );
}
