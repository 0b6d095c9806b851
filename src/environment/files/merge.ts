/** Merges files that extend one another and keeps which file said what, for messages: libraries for merging do not. */

export type Tree = { [key: string]: unknown };

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Objects are merged key by key; lists and everything else are replaced by the extending file's. */
export function mergeTrees(base: Tree, extension: Tree): Tree {
  // Also `__proto__`, which an assignment would take for something else, is a key like any other.
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(extension)) {
    const below = merged.get(key);
    merged.set(key, isTree(below) && isTree(value) ? mergeTrees(below, value) : value);
  }
  return Object.fromEntries(merged);
}

/** Whether a file has a value, of whatever kind, at this path. */
export function hasPath(tree: unknown, path: readonly PropertyKey[]): boolean {
  let value = tree;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return false;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return true;
}

/** @returns undefined where nothing stands at the path */
export function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  return hasPath(tree, path)
    ? path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown>)[part], tree)
    : undefined;
}
