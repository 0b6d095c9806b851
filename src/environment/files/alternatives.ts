/** Groups of keys that can be said in several ways, of which an environment says one. */
import type { Finding } from '../explain.ts';
import { isTree, type Tree, valueAt } from './merge.ts';

/** One of these keys says which kind of thing it is, and the others of its group belong to that kind. */
const WAYS: { path: string[]; ways: readonly string[] }[] = [
  { path: ['engine'], ways: ['embedded', 'inCluster', 'address'] },
  { path: ['cluster'], ways: ['embedded', 'kind', 'context'] },
  { path: ['ingress', 'tls'], ways: ['secretName', 'clusterIssuer'] },
];

/**
 * An environment that extends another and names a different kind of engine or cluster replaces that part as a whole;
 * the two are not merged.
 */
export function withoutOtherWay(below: Tree, tree: Tree): Tree {
  return WAYS.reduce((left, { path, ways }) => {
    const [base, own] = [valueAt(left, path), valueAt(tree, path)];
    if (!isTree(base) || !isTree(own)) return left;
    const chosen = ways.find((way) => Object.hasOwn(own, way));
    return chosen === undefined || Object.hasOwn(base, chosen) ? left : without(left, path);
  }, below);
}

function without(tree: Tree, [first = '', ...rest]: string[]): Tree {
  const inner = tree[first];
  const others = Object.entries(tree).filter(([key]) => key !== first);
  return Object.fromEntries(rest.length === 0 || !isTree(inner) ? others : [...others, [first, without(inner, rest)]]);
}

/** What names two kinds at once. */
export function severalWays(tree: Tree): Finding[] {
  return WAYS.flatMap(({ path, ways }) => {
    const group = valueAt(tree, path);
    const named = isTree(group) ? ways.filter((way) => Object.hasOwn(group, way)) : [];
    return named.length < 2
      ? []
      : [
          {
            path,
            message: `says ${named.join(' and ')} at once, and only one of them is possible: take the others out`,
          },
        ];
  });
}
