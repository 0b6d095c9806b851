import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';

test("the library's KubeConfig comes without the generated models, and works", async () => {
  const loaded: string[] = [];
  const hooks = registerHooks({
    load: (url, context, nextLoad) => {
      loaded.push(url);
      return nextLoad(url, context);
    },
  });
  const { KubeConfig } = await import('../../../src/clients/kubernetes/kubeconfig-class.ts').finally(() => {
    hooks.deregister();
  });
  assert.ok(loaded.some((url) => url.endsWith('/@kubernetes/client-node/dist/config.js')));
  assert.deepEqual(
    loaded.filter((url) => url.includes('/gen/models/')),
    [],
  );
  assert.ok(loaded.length < 400, `${loaded.length} modules`);

  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: 'https://127.0.0.1:1' }],
    users: [{ name: 'u', token: 't' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  const options: { headers: Record<string, string> } = { headers: {} };
  await config.applyToHTTPSOptions(options);
  assert.equal(options.headers['Authorization'], 'Bearer t');
});
