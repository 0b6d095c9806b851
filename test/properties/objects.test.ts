/** What holds for every object: differences, paths, fingerprints, and what YAML makes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { isTree, mergeTrees } from '../../src/environment/files/merge.ts';
import { parseQuantity } from '../../src/environment/fields/formats/quantity.ts';
import { digestOf } from '../../src/plan/digest.ts';
import { diffFields } from '../../src/plan/diff/fields.ts';
import { differences } from '../../src/plan/drift/compare.ts';
import { type Path, pointerOf, valueAtPath } from '../../src/plan/fields/path.ts';
import { helmText, helmValues, kubernetesText } from '../../src/plan/inputs/kubernetes-yaml.ts';
import { scalars, texts, trees } from './arbitrary.ts';

/** At the begin of a file it is no part of its text. */
const BYTE_ORDER_MARK = '\uFEFF';

interface Leaf {
  path: Path;
  value: unknown;
}
function leaves(value: unknown, path: Path = []): Leaf[] {
  if (Array.isArray(value)) return value.flatMap((entry, index) => leaves(entry, [...path, { index }]));
  if (isTree(value)) return Object.keys(value).flatMap((key) => leaves(value[key], [...path, key]));
  return [{ path, value }];
}
const at = (step: Path[number]): PropertyKey => (typeof step === 'string' ? step : 'index' in step ? step.index : '');

const isNothing = (value: unknown): boolean => value === '' || value === 0 || value === false;

/** A copy with another value at the place. */
function replaced(object: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(object))
    return object.map((entry: unknown, index) => (index === at(step) ? replaced(entry, rest, value) : entry));
  const tree = object as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(tree).map((key) => [key, key === step ? replaced(tree[key], rest, value) : tree[key]]),
  );
}
/** The same with its keys the other way round, at every depth. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  return isTree(value)
    ? Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, entry]) => [key, turned(entry)]),
      )
    : value;
}
/** An object, the same with one leaf changed, and the leaf. */
const changes = fc
  .tuple(trees, fc.nat(), scalars)
  .map(([before, pick, value]) => {
    const all = leaves(before);
    const leaf = all[pick % all.length] as Leaf;
    return { before, after: replaced(before, leaf.path, value) as typeof before, leaf, value };
  })
  // What an object is, it stays; what the server does not keep is as good as absent.
  .filter(
    ({ leaf, value }) =>
      leaf.value !== value && leaf.path[0] !== 'kind' && !(isNothing(leaf.value) && isNothing(value)),
  );

test('an object does not differ from itself, in whatever order its keys are', () => {
  fc.assert(
    fc.property(trees, (tree) => {
      assert.deepEqual(diffFields(tree, turned(tree)), []);
      assert.deepEqual(differences(tree, turned(tree)), []);
      assert.equal(digestOf(tree), digestOf(turned(tree)));
    }),
  );
});

test('one leaf that is another one is seen, from either side', () => {
  fc.assert(
    fc.property(changes, ({ before, after }) => {
      assert.notEqual(digestOf(before), digestOf(after));
      assert.notDeepEqual(diffFields(before, after), []);
      assert.notDeepEqual(diffFields(after, before), []);
      assert.notDeepEqual(differences(before, after), []);
    }),
  );
});

test('the path of a leaf leads to it, and so does its pointer', () => {
  fc.assert(
    fc.property(trees, (tree) => {
      for (const { path, value } of leaves(tree)) {
        assert.equal(valueAtPath(tree, path), value);
        const pointer = pointerOf(tree, path) ?? '';
        const steps = pointer
          .split('/')
          .slice(1)
          .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
        assert.deepEqual(
          steps,
          path.map((step) => String(at(step))),
        );
      }
    }),
  );
});

test('a file that extends another one has all of both, and wins; keys that JavaScript knows are keys', () => {
  fc.assert(
    fc.property(trees, trees, (base, extension) => {
      const merged = mergeTrees(base, extension);
      assert.deepEqual(new Set(Object.keys(merged)), new Set([...Object.keys(base), ...Object.keys(extension)]));
      for (const key of Object.keys(extension))
        if (!isTree(extension[key]))
          assert.deepEqual(Object.getOwnPropertyDescriptor(merged, key)?.value, extension[key]);
      assert.deepEqual(mergeTrees(merged, extension), merged);
    }),
  );
});

test('text stays text, for readers of YAML 1.1 and of 1.2, also as a key', () => {
  fc.assert(
    fc.property(
      texts.filter((text) => !text.startsWith(BYTE_ORDER_MARK)),
      texts,
      (key, value) => {
        const object = { [key]: value, list: [value] };
        for (const written of [kubernetesText(object), helmText(object)]) {
          assert.deepEqual(helmValues(written), object, written);
          assert.deepEqual(parse(written), object, written);
        }
      },
    ),
  );
});

test('amounts are compared exactly', () => {
  const suffixes: Record<string, [bigint, bigint]> = {
    n: [1n, 1_000_000_000n],
    m: [1n, 1000n],
    '': [1n, 1n],
    k: [1000n, 1n],
    Mi: [2n ** 20n, 1n],
    G: [10n ** 9n, 1n],
    Ei: [2n ** 60n, 1n],
  };
  const amounts = fc.tuple(fc.nat({ max: 10 ** 6 }), fc.constantFrom(...Object.keys(suffixes)));
  fc.assert(
    fc.property(amounts, amounts, ([a, unitA], [b, unitB]) => {
      const [[upA, downA], [upB, downB]] = [suffixes[unitA] ?? [1n, 1n], suffixes[unitB] ?? [1n, 1n]];
      const left = BigInt(a) * upA * downB;
      const right = BigInt(b) * upB * downA;
      const [x = -1n, y = -1n] = [parseQuantity(`${a}${unitA}`), parseQuantity(`${b}${unitB}`)];
      assert.deepEqual([x < y, x === y], [left < right, left === right]);
    }),
  );
});
