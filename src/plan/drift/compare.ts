/**
 * Compares what was applied with what is there. Defaults and other fields that the API server adds are no difference.
 */
import { isTree } from '../../environment/files/merge.ts';
import { entryPart, listKeys, type Path, valueAtPath } from '../fields/path.ts';
import { sameValue } from '../sorted.ts';
import { sameQuantity } from './quantity.ts';

export interface Difference {
  path: Path;
  was: unknown;
  /** Undefined where there is nothing any more. */
  is: unknown;
}

const NOT_COMPARED = [
  ['apiVersion'],
  ['kind'],
  ['status'],
  ['metadata', 'creationTimestamp'],
  ['metadata', 'namespace'],
];

/** @returns in the order of what was applied; a part that is wholly gone is one difference */
export function differences(applied: unknown, live: unknown): Difference[] {
  return compare(applied, live, []).filter(
    ({ path }) => !NOT_COMPARED.some((skipped) => skipped.every((part, at) => path[at] === part)),
  );
}

/** What a trial apply makes of it decides: a difference that it would leave is none. */
export function confirmed(found: readonly Difference[], wanted: unknown, live: unknown): Difference[] {
  return found.flatMap(({ path }) => {
    const [was, is] = [valueAtPath(wanted, path), valueAtPath(live, path)];
    return sameValue(was, is) ? [] : [{ path, was, is }];
  });
}

function compare(applied: unknown, live: unknown, path: Path): Difference[] {
  if (isNothing(applied) && isNothing(live)) return [];
  if (applied === null || applied === undefined) return [];
  if (isTree(applied)) {
    if (!isTree(live)) return [{ path, was: applied, is: live }];
    return Object.entries(applied).flatMap(([key, value]) => compare(value, live[key], [...path, key]));
  }
  if (Array.isArray(applied))
    return Array.isArray(live) ? compareLists(applied, live, path) : [{ path, was: applied, is: live }];
  return applied === live || sameQuantity(applied, live, path) ? [] : [{ path, was: applied, is: live }];
}

function compareLists(applied: readonly unknown[], live: readonly unknown[], path: Path): Difference[] {
  // Others put theirs beside ours.
  if (path.at(-1) === 'finalizers')
    return applied.flatMap((value) =>
      live.includes(value) ? [] : [{ path: [...path, { value }], was: value, is: undefined }],
    );
  const keys = listKeys(path);
  const parts = keys && applied.map((entry) => entryPart(entry, keys));
  if (parts && !parts.includes(undefined)) {
    return applied.flatMap((entry, at) => {
      const here = [...path, parts[at] as { keys: Record<string, unknown> }];
      return compare(entry, valueAtPath(live, here.slice(path.length)), here);
    });
  }
  const same =
    applied.length === live.length && applied.every((entry, at) => compare(entry, live[at], []).length === 0);
  return same ? [] : [{ path, was: applied, is: live }];
}

/** What the server does not keep: it looks the same as an absent value. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true;
  return Array.isArray(value) ? value.length === 0 : isTree(value) && Object.keys(value).length === 0;
}
