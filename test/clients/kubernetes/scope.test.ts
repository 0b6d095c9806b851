import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KubernetesError } from '../../../src/clients/kubernetes/index.ts';
import { pathWithin, scopedList } from '../../../src/clients/kubernetes/scope.ts';

const answer = (name: string) => ({
  metadata: { resourceVersion: '1' },
  items: [{ metadata: { name, uid: '', resourceVersion: '' } }],
});
const no = (path: string, status: number): never => {
  throw new KubernetesError(`GET ${path}`, status, '', 'no');
};

describe('lists of the whole cluster', () => {
  test('are told from those of a namespace', () => {
    assert.equal(pathWithin('/api/v1/secrets', 'a'), '/api/v1/namespaces/a/secrets');
    assert.equal(pathWithin('/apis/apps/v1/deployments', 'a'), '/apis/apps/v1/namespaces/a/deployments');
    assert.equal(pathWithin('/api/v1/namespaces/a/secrets', 'b'), undefined);
  });

  test('where they are refused each namespace is asked, and the cluster never again', async () => {
    const asked: string[] = [];
    const list = scopedList<undefined>(['a', 'b'], async (path) => {
      asked.push(path);
      return Promise.resolve(path === '/api/v1/secrets' ? no(path, 403) : answer(path));
    });
    const once = async (): Promise<string[]> =>
      (await list('/api/v1/secrets', undefined)).items.map(({ metadata }) => metadata.name);
    assert.deepEqual(await once(), ['/api/v1/namespaces/a/secrets', '/api/v1/namespaces/b/secrets']);
    assert.deepEqual(await once(), ['/api/v1/namespaces/a/secrets', '/api/v1/namespaces/b/secrets']);
    assert.deepEqual(asked.filter((path) => path === '/api/v1/secrets').length, 1);
  });

  const refusals: [string, string[], (path: string) => number, RegExp][] = [
    ['no namespaces to ask', [], () => 403, /secrets: 403/],
    ['a namespace that may not be looked at either', ['a'], () => 403, /GET \/api\/v1\/secrets: 403/],
    [
      'a kind without namespaces',
      ['a'],
      (path) => (path.includes('/namespaces/') ? 404 : 403),
      /GET \/api\/v1\/secrets: 403/,
    ],
    ['any other error', ['a'], () => 500, /500/],
  ];
  for (const [name, namespaces, status, expected] of refusals) {
    test(`the refusal is told: ${name}`, async () => {
      const list = scopedList<undefined>(namespaces, async (path) => Promise.resolve(no(path, status(path))));
      await assert.rejects(list('/api/v1/secrets', undefined), expected);
    });
  }
});
