import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { diffFields, diffLeaves } from '../../../src/plan/diff/fields.ts';
import type { FieldChange } from '../../../src/plan/diff/types.ts';

const CASES: [what: string, before: unknown, after: unknown, found: FieldChange[]][] = [
  ['the same', { a: { b: [1, 2] } }, { a: { b: [1, 2] } }, []],
  ['another order of keys', { a: 1, b: 2 }, { b: 2, a: 1 }, []],
  ['nothing and an empty container', { a: {}, b: [], c: null }, {}, []],
  ['a value', { spec: { replicas: 1 } }, { spec: { replicas: 3 } }, [{ path: 'spec.replicas', from: '1', to: '3' }]],
  [
    'a key with a slash',
    { labels: { 'a/b': 'x' } },
    { labels: { 'a/b': 'y' } },
    [{ path: 'labels[a/b]', from: 'x', to: 'y' }],
  ],
  ['a field that comes', {}, { spec: { paused: true } }, [{ path: 'spec', to: '{"paused":true}' }]],
  [
    'a field that goes',
    { spec: { paused: true, replicas: 1 } },
    { spec: { replicas: 1 } },
    [{ path: 'spec.paused', from: 'true' }],
  ],
  ['a type', { a: '1' }, { a: 1 }, [{ path: 'a', from: '1', to: '1' }]],
  [
    'a list of values',
    { args: ['a', 'b'] },
    { args: ['a', 'c'] },
    [{ path: 'args', from: '["a","b"]', to: '["a","c"]' }],
  ],
  [
    'an entry by name',
    { containers: [{ name: 'a', image: 'x:1' }, { name: 'b' }] },
    { containers: [{ name: 'b' }, { name: 'a', image: 'x:2' }] },
    [{ path: 'containers[name=a].image', from: 'x:1', to: 'x:2' }],
  ],
  [
    'an entry that comes',
    { env: [{ name: 'A', value: '1' }] },
    {
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    },
    [{ path: 'env[name=B]', to: '{"name":"B","value":"2"}' }],
  ],
  [
    'mounts of one volume at two places',
    {
      mounts: [
        { name: 'v', mountPath: '/a' },
        { name: 'v', mountPath: '/b' },
      ],
    },
    {
      mounts: [
        { name: 'v', mountPath: '/a', readOnly: true },
        { name: 'v', mountPath: '/b' },
      ],
    },
    [{ path: 'mounts[mountPath=/a].readOnly', to: 'true' }],
  ],
  [
    'a claim, named as an object is',
    { claims: [{ metadata: { name: 'data' }, spec: { size: '1Gi' } }] },
    { claims: [{ metadata: { name: 'data' }, spec: { size: '2Gi' } }] },
    [{ path: 'claims[name=data].spec.size', from: '1Gi', to: '2Gi' }],
  ],
  [
    'entries without anything that tells them apart',
    { rules: [{ x: { y: 1 } }] },
    { rules: [{ x: { y: 2 } }] },
    [{ path: 'rules[0].x.y', from: '1', to: '2' }],
  ],
  [
    'lines of a long text',
    { data: { file: 'a\nb\nc\nd' } },
    { data: { file: 'a\nB\nc\nd' } },
    [{ path: 'data.file', from: 'b', to: 'B' }],
  ],
  ['a line that comes', { file: 'a\nb\nc' }, { file: 'a\nb\nx\nc' }, [{ path: 'file', from: '(no line)', to: 'x' }]],
];

describe('fields that differ', () => {
  for (const [what, before, after, found] of CASES)
    test(what, () => assert.deepEqual(diffFields(before, after), found));

  test('long values are cut', () => {
    const [change] = diffFields({ a: 'x' }, { a: 'y'.repeat(500) });
    assert.equal(change?.to?.length, 200);
  });
});

test('down to single values: what comes and goes is named by all that is in it', () => {
  const before = { a: { b: 1, gone: { x: true, y: [] } }, list: ['p', 'q'] };
  const after = {
    a: { b: 1 },
    list: ['p', 'r'],
    spec: { containers: [{ name: 'app', image: 'i:1', ports: [{ containerPort: 80 }] }], 'a/b': null },
    text: 'x'.repeat(500),
  };
  assert.deepEqual(diffLeaves(before, after), [
    { path: 'a.gone.x', from: 'true' },
    { path: 'list[1]', from: 'q', to: 'r' },
    { path: 'spec.containers[name=app].image', to: 'i:1' },
    { path: 'spec.containers[name=app].name', to: 'app' },
    { path: 'spec.containers[name=app].ports[containerPort=80].containerPort', to: '80' },
    { path: 'text', to: 'x'.repeat(500) },
  ]);
  assert.deepEqual(diffLeaves(undefined, { a: 1 }), [{ path: 'a', to: '1' }]);
  assert.deepEqual(diffLeaves(after, after), []);
});

test('down to single values: entries of lists are the same by what identifies them before and after', () => {
  const before = { ports: [{ port: 80, targetPort: 8080 }] };
  const named = { name: 'http', port: 80, targetPort: 8080 };
  assert.deepEqual(diffLeaves(before, { ports: [named, { name: 'metrics', port: 81 }] }), [
    { path: 'ports[port=80].name', to: 'http' },
    { path: 'ports[port=81].name', to: 'metrics' },
    { path: 'ports[port=81].port', to: '81' },
  ]);
  assert.deepEqual(diffLeaves({ args: [{ name: 'a' }, 'b'] }, { args: { name: 'a' } }), [
    { path: 'args.name', to: 'a' },
    { path: 'args[0].name', from: 'a' },
    { path: 'args[1]', from: 'b' },
  ]);
});
