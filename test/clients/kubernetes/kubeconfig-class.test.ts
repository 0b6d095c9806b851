import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const MODULE = new URL('../../../src/clients/kubernetes/kubeconfig/kubeconfig-class.ts', import.meta.url).href;
/** In a process of its own: in that of a test the library may have been loaded before. */
const SCRIPT = `
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, nextLoad) => { loaded.push(url); return nextLoad(url, context); } });
  await import(${JSON.stringify(MODULE)});
  console.log(JSON.stringify(loaded));`;

test("the library's KubeConfig comes without the generated models, and works", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', SCRIPT]);
  const loaded = JSON.parse(stdout) as string[];
  assert.ok(loaded.some((url) => url.endsWith('/@kubernetes/client-node/dist/config.js')));
  assert.deepEqual(
    loaded.filter((url) => url.includes('/gen/models/')),
    [],
  );
  assert.ok(loaded.length < 400, `${loaded.length} modules`);

  const { KubeConfig } = await import('../../../src/clients/kubernetes/kubeconfig/kubeconfig-class.ts');
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
