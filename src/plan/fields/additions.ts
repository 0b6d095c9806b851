/** What others wrote into an object of ours: which of it is drift, and which is theirs. */
import { isTree, type Tree } from '../../environment/files/merge.ts';
import type { Difference } from '../drift/compare.ts';
import { extraFields, type ManagedEntry, managedEntries, ownedPaths } from './managed.ts';
import { isWithin, type Path, pathText, valueAtPath } from './path.ts';
import { placeOf } from './places.ts';
import { writerOf } from './writers.ts';

/**
 * Fields that the release did not apply and that do not belong there, each as high up as it begins to be something
 * else.
 */
export function additions(kind: string, applied: Tree, live: unknown): Path[] {
  const found = managedEntries(live).flatMap((entry) => additionsBy(entry, kind, applied, live));
  return [...new Map(found.map((path) => [pathText(path), path])).values()].filter(
    (path, _at, all) => !all.some((other) => other !== path && isWithin(path, other)),
  );
}

function additionsBy(entry: ManagedEntry, kind: string, applied: Tree, live: unknown): Path[] {
  const writer = writerOf(entry);
  if (writer === 'system') return [];
  const counts = (path: Path): boolean => {
    const place = placeOf(kind, path);
    if (place === 'theirs' || place === 'ours') return place === 'ours';
    return writer !== 'controller' || (place === 'ours where applied' && isApplied(applied, path));
  };
  return extraFields(entry, applied, live).flatMap((path) => {
    const leaves = ownedPaths(entry.fieldsV1).filter((leaf) => isWithin(leaf, path));
    if (leaves.length === 0) return counts(path) ? [path] : [];
    const drifted = leaves.filter(counts);
    // Where a part of it belongs to somebody else, only the rest is reported.
    return drifted.length === leaves.length ? [path] : drifted;
  });
}

/** Whether the release says anything in the part of the object in which the path stands. */
function isApplied(applied: Tree, path: Path): boolean {
  const [first] = path;
  const value = typeof first === 'string' ? applied[first] : undefined;
  return isTree(value) && Object.keys(value).length > 0;
}

/**
 * Maps that count as one field, such as a Service's selector: somebody who adds a key has changed the whole.
 * @param known differences that are reported already
 * @returns suspects: the API server decides, since defaults may stand in such a map too
 */
export function replacedWholes(applied: Tree, live: unknown, known: readonly Difference[]): Difference[] {
  const leaves = managedEntries(live)
    .filter((entry) => !['system', 'helm'].includes(writerOf(entry)))
    .flatMap(({ fieldsV1 }) => ownedPaths(fieldsV1));
  return [...new Map(leaves.map((path) => [pathText(path), path])).values()].flatMap((path): Difference[] => {
    const [was, is] = [valueAtPath(applied, path), valueAtPath(live, path)];
    if (!isTree(was) || !isTree(is) || Object.keys(was).length === 0) return [];
    if (Object.keys(is).every((key) => key in was) || known.some((found) => isWithin(found.path, path))) return [];
    return [{ path, was, is }];
  });
}

/**
 * Whether somebody made it. What Kubernetes made, such as the claim of a StatefulSet, stays that when others put a
 * finalizer or a label on it, or somebody enlarges it.
 */
export function isMadeByOthers(kind: string, object: unknown): boolean {
  const entries = managedEntries(object).map((entry) => ({
    system: writerOf(entry) === 'system',
    leaves: ownedPaths(entry.fieldsV1).filter((path) => path[0] !== 'status' && placeOf(kind, path) !== 'theirs'),
    main: !entry.subresource,
  }));
  const content = (paths: readonly Path[]): boolean => paths.some((path) => path.length > 0 && path[0] !== 'metadata');
  const system = entries.filter((entry) => entry.system && entry.main);
  if (system.some(({ leaves }) => content(leaves))) return false;
  const others = entries.filter((entry) => !entry.system && entry.leaves.length > 0);
  return others.some(({ leaves }) => content(leaves)) || (others.length > 0 && system.length === 0);
}
