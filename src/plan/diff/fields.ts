/** Two states of one object, field by field. Lists of named things are compared by name, whatever their order. */
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { sameValue } from '../sorted.ts';
import type { FieldChange } from './types.ts';

/** The key that identifies the entries of a list: the first that does so on both sides. */
const KEYS = ['name', 'mountPath', 'containerPort', 'port', 'key', 'ip', 'type', 'path'];
const LONGEST = 200;

/** @returns in the order of the paths; empty when both say the same. `null` and empty containers count as absent */
export function diffFields(before: unknown, after: unknown): FieldChange[] {
  const found: FieldChange[] = [];
  compare('', before, after, found);
  return found;
}

/** What differs, down to single values: trees and lists that come or go are named by all that is in them. */
export function diffLeaves(before: unknown, after: unknown): FieldChange[] {
  const found: Leaves = new Map();
  leavesOf('', before, after, found);
  return [...found]
    .filter(([, { from, to }]) => from !== to)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, texts]) => ({ path, ...texts }));
}

/** Texts of both sides by path. */
type Leaves = Map<string, Omit<FieldChange, 'path'>>;

/** Both sides together: entries of lists are named by what identifies them on both. */
function leavesOf(path: string, before: unknown, after: unknown, found: Leaves): void {
  const there = [before, after].filter((side) => !isAbsent(side));
  const among = (old: ReadonlyMap<string, unknown>, wanted: ReadonlyMap<string, unknown>): void => {
    for (const part of new Set([...old.keys(), ...wanted.keys()]))
      leavesOf(part, old.get(part), wanted.get(part), found);
  };
  if (there.every(isTree)) {
    among(entriesOf(path, before), entriesOf(path, after));
  } else if (there.every(Array.isArray)) {
    const [old, wanted] = [asList(before), asList(after)];
    const key = KEYS.find((candidate) => isKeyOf(old, candidate) && isKeyOf(wanted, candidate));
    among(itemsOf(path, old, key), itemsOf(path, wanted, key));
  } else if (there.length === 2 && there.some((side) => typeof side === 'object')) {
    // What has become something else has nothing in common with it.
    leavesOf(path, before, undefined, found);
    leavesOf(path, undefined, after, found);
  } else {
    found.set(path, {
      ...found.get(path),
      ...(isAbsent(before) ? {} : { from: textOf(before) }),
      ...(isAbsent(after) ? {} : { to: textOf(after) }),
    });
  }
}

function entriesOf(path: string, tree: unknown): Map<string, unknown> {
  return new Map(Object.entries(isTree(tree) ? tree : {}).map(([key, entry]) => [below(path, key), entry]));
}

function itemsOf(path: string, list: readonly unknown[], key: string | undefined): Map<string, unknown> {
  return new Map(
    list.map((entry, index) => {
      const name = key === undefined || !isTree(entry) ? String(index) : `${key}=${String(keyOf(entry, key))}`;
      return [`${path}[${name}]`, entry];
    }),
  );
}

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function compare(path: string, before: unknown, after: unknown, found: FieldChange[]): void {
  if (isAbsent(before) && isAbsent(after)) return;
  if (isTree(before) && isTree(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    for (const key of keys) compare(below(path, key), before[key], after[key], found);
    return;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    compareLists(path, before, after, found);
    return;
  }
  if ((isTree(before) && isAbsent(after)) || (isAbsent(before) && isTree(after))) {
    const whole = before ?? after;
    // One line for a small addition; its parts where it is more than a line.
    if (textOf(whole).length > 120 && isTree(whole)) {
      for (const key of Object.keys(whole).sort())
        compare(
          below(path, key),
          isTree(before) ? before[key] : undefined,
          isTree(after) ? after[key] : undefined,
          found,
        );
      return;
    }
  }
  if (sameValue(before, after)) return;
  found.push(change(path, before, after));
}

function compareLists(path: string, before: readonly unknown[], after: readonly unknown[], found: FieldChange[]): void {
  const key = KEYS.find((candidate) => isKeyOf(before, candidate) && isKeyOf(after, candidate));
  if (key === undefined) {
    if (before.length === after.length && before.some(isTree))
      before.forEach((entry, index) => compare(`${path}[${index}]`, entry, after[index], found));
    else if (!sameValue(before, after)) found.push(change(path, before, after));
    return;
  }
  const byKey = (list: readonly unknown[]): Map<string, Tree> =>
    new Map(list.filter(isTree).map((entry) => [String(keyOf(entry, key)), entry]));
  const [old, wanted] = [byKey(before), byKey(after)];
  for (const name of new Set([...old.keys(), ...wanted.keys()]))
    compare(`${path}[${key}=${name}]`, old.get(name), wanted.get(name), found);
}

function isKeyOf(list: readonly unknown[], key: string): boolean {
  const values = list.map((entry) => (isTree(entry) ? keyOf(entry, key) : undefined));
  return (
    values.every((value) => typeof value === 'string' || typeof value === 'number') &&
    new Set(values).size === values.length
  );
}

/** Claims of a StatefulSet are named as objects are. */
function keyOf(entry: Tree, key: string): unknown {
  return entry[key] ?? (key === 'name' && isTree(entry['metadata']) ? entry['metadata']['name'] : undefined);
}

function change(path: string, before: unknown, after: unknown): FieldChange {
  const texts =
    typeof before === 'string' && typeof after === 'string'
      ? differingLines(before, after)
      : [isAbsent(before) ? undefined : textOf(before), isAbsent(after) ? undefined : textOf(after)];
  const [from, to] = texts.map((text) => (text === undefined ? undefined : cut(text)));
  return { path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** Of long texts only the lines between the first and the last difference. */
function differingLines(before: string, after: string): [string, string] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  if (a.length < 3 && b.length < 3) return [before, after];
  let first = 0;
  while (first < a.length && first < b.length && a[first] === b[first]) first += 1;
  let last = 0;
  while (last < a.length - first && last < b.length - first && a[a.length - 1 - last] === b[b.length - 1 - last])
    last += 1;
  const middle = (lines: string[]): string => {
    const text = lines.slice(first, lines.length - last).join('\n');
    return text === '' ? '(no line)' : text;
  };
  return [middle(a), middle(b)];
}

function below(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

function isAbsent(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isTree(value) && Object.keys(value).length === 0;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
