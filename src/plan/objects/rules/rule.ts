/** One rule of Kubernetes about the values of a definition, beyond their types. */
import { isTree, type Tree } from '../../../environment/files/merge.ts';

/** @param add with the path below the value, empty for itself */
export type Rule = (value: Tree, add: (below: string, message: string) => void) => void;

export function treesOf(value: unknown): Tree[] {
  return Array.isArray(value) ? value.filter(isTree) : [];
}

export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** Texts by key. */
export function entriesOf(value: unknown): [string, unknown][] {
  return isTree(value) ? Object.entries(value) : [];
}

/** Every value but the first of its kind. */
export function repeated<T>(values: readonly T[]): T[] {
  return values.filter((value, at) => values.indexOf(value) !== at);
}

export function nameOf(tree: Tree): string {
  return typeof tree['name'] === 'string' ? tree['name'] : '';
}

export const isSet = (value: unknown): boolean => value !== undefined && value !== null;

export const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);
