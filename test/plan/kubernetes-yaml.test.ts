import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubernetesDocuments } from '../../src/plan/kubernetes-yaml.ts';

test('numbers are read as Helm reads them', () => {
  const [first, second] = kubernetesDocuments(
    'mode: 0755\nother: 0o17\nplain: 10\nzero: 0\nnine: 089\ntext: "0755"\ntime: 10:30\n---\nmode: 0550\n',
  ).map((document) => document.toJS() as unknown);
  assert.deepEqual(first, { mode: 0o755, other: 0o17, plain: 10, zero: 0, nine: 89, text: '0755', time: '10:30' });
  assert.deepEqual(second, { mode: 0o550 });
});
