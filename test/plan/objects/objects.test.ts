/** What `env check` says of objects that the API server refuses; helm-dry-run asks a real one about the same. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type RenderedRelease, releaseProblems } from '../../../src/plan/objects/releases.ts';
import type { Schema, Schemas } from '../../../src/plan/objects/schemas.ts';
import { readSchemas } from '../../../src/plan/objects/schemas.ts';
import { objectProblems } from '../../../src/plan/objects/validate.ts';
import { goldenObjects } from '../../helm/golden.ts';
import { REFUSED, TAKEN } from '../../support/odd-objects.ts';

let schemas: Schemas;
before(async () => {
  schemas = await readSchemas();
});
const problemsOf = (object: Record<string, unknown>): string[] =>
  (objectProblems(object, schemas) ?? []).map(({ path, message }) => `${path}: ${message}`);

describe('refused, by path and in words', () => {
  for (const [what, object, path, message] of REFUSED)
    test(what, () => {
      const found = objectProblems(object, schemas) ?? [];
      assert.ok(
        found.some((problem) => path.test(problem.path) && message.test(problem.message)),
        `expected ${String(path)} ${String(message)}, found:\n${problemsOf(object).join('\n')}`,
      );
      assert.ok(found.length <= 2, problemsOf(object).join('\n'));
    });
});

describe('taken', () => {
  for (const [what, object] of TAKEN) test(what, () => assert.deepEqual(problemsOf(object), []));

  for (const set of ['helm', 'helm-replicated', 'helm-guarded'] as const)
    test(`every object of the charts (${set})`, () => {
      for (const { objects } of goldenObjects(set))
        for (const object of objects)
          assert.deepEqual(
            problemsOf(object as unknown as Record<string, unknown>),
            [],
            `${object.kind} ${object.metadata.name}`,
          );
    });
});

test('kinds of others are judged by the definition that comes with them, or not at all', () => {
  const cluster = {
    apiVersion: 'a.example/v1',
    kind: 'Cluster',
    metadata: { name: 'odd' },
    spec: { size: 'big', count: 3 },
  };
  assert.equal(objectProblems(cluster, schemas), undefined);
  const schema: Schema = {
    type: 'object',
    required: ['spec'],
    properties: {
      spec: {
        type: 'object',
        required: ['image'],
        properties: {
          size: { type: 'string', enum: ['small', 'large'] },
          count: { 'x-kubernetes-int-or-string': true },
          image: { type: 'string', minLength: 1 },
          free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    },
  };
  const custom = new Map([['a.example/v1/Cluster', schema]]);
  assert.deepEqual(
    objectProblems(cluster, schemas, custom)?.map(({ path, message }) => `${path}: ${message}`),
    ['spec.image: is missing', 'spec.size: "big" is none of "small", "large"'],
  );
  const sound = { ...cluster, spec: { size: 'small', image: 'x', free: { a: { b: 1 } } } };
  assert.deepEqual(objectProblems(sound, schemas, custom), []);
});

test('an object that is larger than etcd keeps', () => {
  const problems = (apiVersion: string, kind: string, object: Record<string, unknown>): string[] =>
    releaseProblems(
      [{ release: 'r', namespace: 'n', objects: [{ apiVersion, kind, name: 'x', definition: false, object }] }],
      schemas,
      new Map(),
    );
  const thing = (text: string): Record<string, unknown> => ({
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    metadata: { name: 'x' },
    spec: { text },
  });
  const limit = 1.5 * 1024 * 1024;
  const frame = JSON.stringify(thing('')).length;
  assert.deepEqual(problems('example.com/v1', 'Thing', thing('x'.repeat(limit - frame))), []);
  // As JSON, in which these are kept, a line's end has two characters.
  for (const text of ['x'.repeat(limit - frame + 1), '\n'.repeat(limit / 2)])
    assert.deepEqual(problems('example.com/v1', 'Thing', thing(text)), [
      'release r: Thing n/x: has 1537 KiB, and etcd keeps 1536 KiB for an object',
    ]);
});

test('what two releases have together: an object of one name, a nodePort', () => {
  const service = (name: string, nodePort: number): Record<string, unknown> => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { type: 'NodePort', ports: [{ port: 80, nodePort }] },
  });
  const release = (name: string, object: Record<string, unknown>, namespace = 'apps'): RenderedRelease => {
    const { name: own } = object['metadata'] as { name: string };
    return {
      release: name,
      namespace,
      objects: [{ apiVersion: 'v1', kind: 'Service', name: own, definition: false, object }],
    };
  };
  const problems = (...releases: RenderedRelease[]): string[] => releaseProblems(releases, schemas, new Map());
  assert.deepEqual(problems(release('web', service('web', 31_080)), release('admin', service('admin', 31_081))), []);
  assert.deepEqual(problems(release('web', service('web', 31_080)), release('admin', service('admin', 31_080))), [
    'release admin: Service apps/admin: has the nodePort 31080, which Service apps/web has, too',
  ]);
  assert.deepEqual(problems(release('web', service('web', 31_080)), release('admin', service('web', 31_081))), [
    'release admin: Service apps/web: is in release web, too: Helm refuses that',
  ]);
  assert.deepEqual(
    problems(release('web', service('web', 31_080)), release('admin', service('web', 31_081), 'data')),
    [],
  );
});
