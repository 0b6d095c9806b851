/** Two states of one object, field by field. Lists of named things are compared by name, whatever their order. */
import { isTree, type Tree } from '../../environment/merge.ts';
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
  const [old, wanted] = [leavesOf('', before), leavesOf('', after)];
  return [...new Set([...old.keys(), ...wanted.keys()])].sort().flatMap((path) => {
    const [from, to] = [old.get(path), wanted.get(path)];
    if (from === to) return [];
    return [{ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
  });
}

/** Texts by path; lists of named things by their names, where these differ. */
function leavesOf(path: string, value: unknown): Map<string, string> {
  if (isAbsent(value)) return new Map();
  if (isTree(value))
    return new Map(Object.entries(value).flatMap(([key, entry]) => [...leavesOf(below(path, key), entry)]));
  if (!Array.isArray(value)) return new Map([[path, textOf(value)]]);
  const key = KEYS.find((candidate) => isKeyOf(value, candidate));
  return new Map(
    value.flatMap((entry: unknown, index) => {
      const name = key === undefined || !isTree(entry) ? String(index) : `${key}=${String(keyOf(entry, key))}`;
      return [...leavesOf(`${path}[${name}]`, entry)];
    }),
  );
}

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
