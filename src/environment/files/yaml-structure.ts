/**
 * What YAML allows and no environment needs: bottomless nesting, aliases of aliases, keys that are no texts, keys
 * twice.
 */
import { type CST, type Document, isAlias, isMap, isScalar, isSeq, type Node } from 'yaml';

const MAX_DEPTH = 32;
/** Values that a file has once its aliases are replaced by what they stand for. */
const MAX_VALUES = 20_000;

export interface StructureProblem {
  field: string;
  message: string;
}

/** Asked of the tokens: to build values from them takes a call for each level. */
export function isNestedTooDeeply(tokens: readonly CST.Token[]): boolean {
  const left: [token: CST.Token | null | undefined, depth: number][] = tokens.map((token) => [token, 0]);
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [token, depth] = next;
    if (!token) continue;
    if (depth > MAX_DEPTH) return true;
    if (token.type === 'document') left.push([token.value, depth]);
    if (!('items' in token)) continue;
    for (const { key, value } of token.items) left.push([key, depth + 1], [value, depth + 1]);
  }
  return false;
}

interface Extent {
  values: number;
  depth: number;
}

/** @param lineOf from an offset in the text to the number of its line */
export function checkStructure(document: Document, lineOf: (offset: number) => number): StructureProblem[] {
  const problems: StructureProblem[] = [];
  const anchors = new Map<string, Extent | 'open'>();
  const fail = (message: string, field = ''): Extent => {
    problems.push({ field, message });
    return { values: 1, depth: 1 };
  };
  const lineOfNode = (node: { range?: Node['range'] }): string => `line ${lineOf(node.range?.[0] ?? 0)}`;

  const extentOf = (node: unknown, path: string): Extent => {
    if (isAlias(node)) {
      const found = anchors.get(node.source);
      if (found === undefined)
        return fail(
          `the alias *${node.source} (${lineOfNode(node)}) stands for nothing: no &${node.source} comes before it`,
          path,
        );
      if (found === 'open')
        return fail(`the alias *${node.source} (${lineOfNode(node)}) stands for a group that contains it`, path);
      return found;
    }
    if (!isMap(node) && !isSeq(node)) {
      const extent = { values: 1, depth: 1 };
      // Bytes, say.
      if (isScalar(node) && typeof node.value === 'object' && node.value !== null) {
        return fail(
          `${lineOfNode(node)} uses the tag ${String(node.tag).replace(/^tag:yaml\.org,2002:/, '!!')}: only plain texts, numbers, lists and groups of keys are read`,
          path,
        );
      }
      if (isScalar(node) && node.anchor !== undefined) anchors.set(node.anchor, extent);
      return extent;
    }
    if (node.anchor !== undefined) anchors.set(node.anchor, 'open');
    const parts = isMap(node)
      ? node.items.map(({ value }, index) => extentOf(value, keyPath(path, node.items[index]?.key)))
      : node.items.map((item, index) => extentOf(item, keyPath(path, index)));
    if (isMap(node))
      problems.push(
        ...keyProblems(
          node.items.map(({ key }) => key),
          path,
          lineOfNode,
        ),
      );
    const extent = parts.reduce<Extent>(
      (all, part) => ({
        values: Math.min(all.values + part.values, MAX_VALUES + 1),
        depth: Math.max(all.depth, part.depth + 1),
      }),
      { values: 1, depth: 1 },
    );
    if (node.anchor !== undefined) anchors.set(node.anchor, extent);
    return extent;
  };

  const { values, depth } = extentOf(document.contents, '');
  if (values > MAX_VALUES)
    problems.unshift({ field: '', message: `comes to more than ${MAX_VALUES} values: this is no environment file` });
  else if (depth > MAX_DEPTH)
    problems.unshift({
      field: '',
      message: 'is nested more deeply than any environment, once its aliases are replaced',
    });
  return problems;
}

function keyPath(path: string, key: unknown): string {
  const name = isScalar(key) ? String(key.value) : typeof key === 'number' ? String(key) : '';
  return path === '' ? name.slice(0, 60) : `${path}.${name.slice(0, 60)}`;
}

function keyProblems(keys: readonly unknown[], path: string, lineOfNode: (node: Node) => string): StructureProblem[] {
  const seen = new Map<string, Node>();
  return keys.flatMap((key): StructureProblem[] => {
    if (!isScalar(key)) return [{ field: path, message: 'a key has to be a text, not a list or a group' }];
    const name = String(key.value);
    if (name === '__proto__') return [{ field: keyPath(path, key), message: 'unknown key' }];
    const before = seen.get(name);
    seen.set(name, key);
    // Several merge keys in one group are merged one after the other.
    return before === undefined || name === '<<'
      ? []
      : [{ field: keyPath(path, key), message: `is written twice: ${lineOfNode(before)} and ${lineOfNode(key)}` }];
  });
}
