/** Values that run beside ours: where they differ, and what it takes to keep theirs. Pure. */
import { hasPath, isTree, mergeTrees, type Tree, valueAt } from '../../environment/files/merge.ts';
import { sameValue } from '../sorted.ts';

export interface ValueDifference {
  path: string[];
  /** Absent: ours says nothing here. */
  ours?: unknown;
  /** Absent: theirs says nothing here, so that the chart's default counts. */
  theirs?: unknown;
}

/**
 * Leaves that differ; lists are compared as a whole, as Helm merges them.
 * @param defaults what the chart says by itself: what only repeats it is no difference. Absent: not known
 */
export function valueDifferences(ours: Tree, theirs: Tree, defaults?: Tree): ValueDifference[] {
  return compare(ours, theirs, defaults ?? {}, []);
}

function compare(ours: Tree, theirs: Tree, defaults: Tree, path: string[]): ValueDifference[] {
  const keys = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort();
  return keys.flatMap((key) => {
    const [a, b, given] = [ours[key], theirs[key], defaults[key]];
    const here = [...path, key];
    if (isTree(a) || isTree(b)) {
      const comparable = (value: unknown): value is Tree | undefined => value === undefined || isTree(value);
      if (comparable(a) && comparable(b)) {
        const below = compare(a ?? {}, b ?? {}, isTree(given) ? given : {}, here);
        // That a key is there at all counts in charts that go through a group's keys.
        const empty = below.length === 0 && given === undefined && (a === undefined) !== (b === undefined);
        return empty ? [{ path: here, ...(a === undefined ? { theirs: b } : { ours: a }) }] : below;
      }
    }
    // Null takes a default out: where there is none, it says as much as nothing.
    if (sameValue((a === undefined ? given : a) ?? null, (b === undefined ? given : b) ?? null)) return [];
    return [{ path: here, ...(a === undefined ? {} : { ours: a }), ...(b === undefined ? {} : { theirs: b }) }];
  });
}

/**
 * What an environment has to say so that the values are theirs again; null takes a key out, and with it all that theirs
 * has nothing of. A null of theirs, which takes a default of the chart out, cannot be said so.
 * @param untouched paths with dots that stay ours
 */
export function patchKeeping(
  differences: readonly ValueDifference[],
  theirs: Tree,
  untouched: readonly string[] = [],
): Tree {
  const absent = (path: readonly string[]): boolean => !hasPath(theirs, path);
  return differences
    .filter((one) => one.theirs !== null)
    .reduce<Tree>((patch, { path, theirs: value }) => {
      if (value !== undefined) return mergeTrees(patch, at(path, value));
      const prefixes = path.map((_key, index) => path.slice(0, index + 1));
      const whole = prefixes.find(
        (prefix) => absent(prefix) && !untouched.some((kept) => `${kept}.`.startsWith(`${prefix.join('.')}.`)),
      );
      return mergeTrees(patch, at(whole ?? path, null));
    }, {});
}

/** Builds a tree with this one value. */
export function at(path: readonly string[], value: unknown): Tree {
  return path.reduceRight<unknown>((below, key) => ({ [key]: below }), value) as Tree;
}

/** What stands at a path with dots; undefined where nothing does. */
export function valueOf(values: Tree, path: string): unknown {
  return valueAt(values, path.split('.'));
}
