/** Keys of environments that had another name before: files of then go on to work. */
import type { Tree } from './merge.ts';

const RENAMED: Readonly<Record<string, string>> = {
  removalPatienceSeconds: 'deletionProgressDeadlineSeconds',
};

/** @returns the tree with today's names; a key under both names stays, and is refused as unknown */
export function withCurrentNames(tree: Tree): Tree {
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => {
      const now = Object.hasOwn(RENAMED, key) ? RENAMED[key] : undefined;
      return [now === undefined || Object.hasOwn(tree, now) ? key : now, value];
    }),
  );
}
