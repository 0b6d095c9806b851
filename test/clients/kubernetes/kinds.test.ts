import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubernetesError } from '../../../src/clients/kubernetes/index.ts';
import { readKinds } from '../../../src/clients/kubernetes/kinds.ts';

const resources = (...kinds: [kind: string, plural: string][]): unknown => ({
  resources: kinds.map(([kind, name]) => ({ kind, name, namespaced: true, verbs: ['list', 'delete'] })),
});
const group = (name: string, ...versions: string[]): unknown => {
  const [preferredVersion] = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return {
    name,
    preferredVersion,
    versions: versions.map((version) => ({ groupVersion: `${name}/${version}`, version })),
  };
};

test('kinds of every served version are read; a version that does not answer is named, one that has gone is not', async () => {
  const answers: Record<string, unknown> = {
    '/apis': {
      groups: [group('a.example', 'v1', 'v1beta1'), group('b.example', 'v1', 'v2'), group('c.example', 'v1')],
    },
    '/api/v1': resources(['Pod', 'pods'], ['Pod', 'pods/status']),
    '/apis/a.example/v1': resources(['Thing', 'things']),
    '/apis/a.example/v1beta1': resources(['Thing', 'things'], ['Old', 'olds']),
    '/apis/b.example/v1': resources(['Other', 'others']),
    '/apis/b.example/v2': new KubernetesError('GET /apis/b.example/v2', 429, 'TooManyRequests', 'later'),
    '/apis/c.example/v1': new KubernetesError('GET /apis/c.example/v1', 404, 'NotFound', 'gone'),
  };
  const call = ({ path }: { path: string }): Promise<unknown> => {
    const answer = answers[path];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const { kinds, silent } = await readKinds({ call });
  assert.deepEqual(
    kinds.map(({ group: of, version, kind }) => `${of}/${version} ${kind}`),
    ['/v1 Pod', 'a.example/v1 Thing', 'a.example/v1beta1 Old', 'b.example/v1 Other'],
  );
  assert.deepEqual(
    silent.map(({ group: of, version, reason }) => [of, version, reason]),
    [['b.example', 'v2', 'GET /apis/b.example/v2: 429 later']],
  );
});
