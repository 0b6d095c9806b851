/** Compares two states and lists every difference. Pure. */
import { isTree } from '../../environment/files/merge.ts';
import type { ComparableState } from './state.ts';

export interface StateDifference {
  /** As in `Deployment apps/web`. */
  subject: string;
  /** Of the field; empty for the subject as a whole. */
  path: string;
  /** What the undisturbed run has there; absent: nothing. */
  expected?: unknown;
  /** What the disturbed run has. */
  found?: unknown;
}

/** @returns every field that differs; empty when the states are the same */
export function compareStates(expected: ComparableState, found: ComparableState): StateDifference[] {
  const subjects = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort();
  return subjects.flatMap((subject) => differing(subject, '', expected[subject], found[subject]));
}

function differing(subject: string, path: string, expected: unknown, found: unknown): StateDifference[] {
  const keyed = (isTree(expected) && isTree(found)) || (Array.isArray(expected) && Array.isArray(found));
  if (keyed) {
    const [a, b] = [expected as Record<string, unknown>, found as Record<string, unknown>];
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
    return keys.flatMap((key) => differing(subject, path === '' ? key : `${path}.${key}`, a[key], b[key]));
  }
  if (expected === found) return [];
  return [
    {
      subject,
      path,
      ...(expected === undefined ? {} : { expected }),
      ...(found === undefined ? {} : { found }),
    },
  ];
}

/** One line for people. */
export function differenceText({ subject, path, expected, found }: StateDifference): string {
  const where = path === '' ? subject : `${subject}: ${path}`;
  if (found === undefined) return `${where} is missing${path === '' ? '' : ` (${shown(expected)})`}`;
  if (expected === undefined) return `${where} is one too many${path === '' ? '' : ` (${shown(found)})`}`;
  return `${where} is ${shown(found)}, undisturbed it is ${shown(expected)}`;
}

const LONGEST = 120;

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
