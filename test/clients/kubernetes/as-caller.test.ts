import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mayCaller } from '../../../src/clients/kubernetes/as-caller.ts';
import { fakeApiServer, status } from '../../support/fakes/api-server.ts';

test('what a caller may do is asked with the token of the caller, and nothing of our own goes along', async (context) => {
  const api = await fakeApiServer();
  const folder = await mkdtemp(join(tmpdir(), 'ananta-caller-'));
  context.after(async () => {
    await api.close();
    await rm(folder, { recursive: true });
  });
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: api.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: 'of-the-codec-server' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'c',
    }),
  );
  api.answer(({ headers }) =>
    headers.authorization === 'Bearer of-nobody'
      ? { status: 401, body: status(401, 'Unauthorized', 'Unauthorized') }
      : { status: 201, body: { status: { allowed: headers.authorization === 'Bearer of-the-viewer' } } },
  );
  const ask = (token: string) =>
    mayCaller({ kubeconfig, inCluster: false }, token, {
      verb: 'list',
      group: '',
      resource: 'configmaps',
      namespace: 'n',
    });
  assert.deepEqual(
    [await ask('of-the-viewer'), await ask('of-another'), await ask('of-nobody')],
    ['allowed', 'forbidden', 'unknown'],
  );
  assert.ok(!api.requests.some(({ headers }) => headers.authorization?.includes('of-the-codec-server')));
  assert.deepEqual(JSON.parse(api.requests[0]?.body ?? '{}'), {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb: 'list', group: '', resource: 'configmaps', namespace: 'n' } },
  });
});
