/** Proxies of the environment: never between us and this machine, as elsewhere for everything else. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { mapProxyName } from '@grpc/grpc-js/build/src/http_proxy.js';
import { loadKubeconfig } from '../../src/clients/kubernetes/kubeconfig/kubeconfig.ts';
import { createKubernetesClient } from '../../src/clients/kubernetes/index.ts';
import { readConfig } from '../../src/config.ts';
import { directLoopback, proxiesOf, proxyFor } from '../../src/process/proxies.ts';

const DEAD = 'http://127.0.0.1:9';
const LOCAL = ['127.0.0.1', '127.0.0.2', 'localhost', '[::1]'];

describe('loopback is direct', () => {
  const ENVIRONMENTS: Record<string, string>[] = [
    { http_proxy: DEAD },
    { https_proxy: DEAD },
    { HTTP_PROXY: DEAD },
    { HTTPS_PROXY: DEAD },
    { ALL_PROXY: DEAD },
    { grpc_proxy: DEAD },
    { http_proxy: DEAD, https_proxy: DEAD, no_proxy: 'example.org' },
    { https_proxy: DEAD, NO_PROXY: '.corp' },
    { http_proxy: DEAD, no_proxy: '' },
    { https_proxy: DEAD, no_grpc_proxy: 'example.org' },
  ];
  for (const env of ENVIRONMENTS) {
    test(JSON.stringify(env), () => {
      const set = { ...env, ...directLoopback(env) };
      // The proxy that gRPC would use; it reads the process environment itself.
      const before = { ...process.env };
      for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) Reflect.deleteProperty(process.env, name);
      Object.assign(process.env, set);
      try {
        for (const host of LOCAL) {
          const target = { scheme: 'dns', path: `${host}:7233` };
          assert.deepEqual(mapProxyName(target, {}).target, target, host);
        }
      } finally {
        for (const name of Object.keys(process.env))
          if (/_proxy$/i.test(name)) Reflect.deleteProperty(process.env, name);
        Object.assign(process.env, before);
      }
      // The proxy that Node would use before any code of ours runs.
      for (const host of LOCAL) assert.equal(proxyFor(`https://${host}:6443`, proxiesOf(set)), undefined);
      const { childEnv, loginEnv } = readConfig(env);
      assert.deepEqual(
        [childEnv['no_proxy'], childEnv['NO_PROXY'], loginEnv['no_proxy']],
        [set.no_proxy, set.NO_PROXY, set.no_proxy],
      );
      assert.ok(set.NO_PROXY?.includes('127.0.0.1'));
      for (const own of [env['no_proxy'], env['NO_PROXY']]) assert.ok(set.no_proxy?.includes(own ?? ''));
    });
  }

  test('no proxy, nothing set', () => {
    assert.deepEqual(directLoopback({ no_proxy: 'x', http_proxy: '' }), {});
    assert.equal(readConfig({}).childEnv['no_proxy'], undefined);
  });

  test('Node that uses them from its start', async () => {
    const server = createServer((_request, response) => response.end('here')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const folder = await mkdtemp(join(tmpdir(), 'ananta-proxy-'));
    try {
      await writeFile(
        join(folder, 'ask.mjs'),
        `process.stdout.write(await fetch('${address}').then((answer) => answer.text(), (error) => 'no: ' + error.cause?.message));\n`,
      );
      const { promise, resolve } = Promise.withResolvers<string>();
      const env = {
        PATH: process.env['PATH'],
        HTTP_PROXY: DEAD,
        http_proxy: DEAD,
        NODE_USE_ENV_PROXY: '1',
        ...directLoopback({ HTTP_PROXY: DEAD }),
      };
      execFile(process.execPath, [join(folder, 'ask.mjs')], { env }, (_error, stdout) => resolve(stdout));
      assert.equal(await promise, 'here');
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });
});

describe('everything else goes as kubectl goes', () => {
  const CASES: [address: string, env: Record<string, string>, proxy: string | undefined][] = [
    ['https://api.example.org:6443', {}, undefined],
    ['https://api.example.org:6443', { https_proxy: 'http://p:3128' }, 'http://p:3128'],
    ['https://api.example.org:6443', { HTTPS_PROXY: 'p:3128' }, 'http://p:3128'],
    ['https://api.example.org:6443', { http_proxy: 'http://p:3128' }, undefined],
    ['http://api.example.org:8080', { http_proxy: 'http://p:3128' }, 'http://p:3128'],
    ['https://api.example.org:6443', { ALL_PROXY: 'http://p:3128' }, undefined],
    ['https://api.example.org:6443', { https_proxy: 'http://p', no_proxy: 'example.org' }, undefined],
    ['https://api.example.org:6443', { https_proxy: 'http://p', no_proxy: '.example.org' }, undefined],
    ['https://api.example.org:6443', { https_proxy: 'http://p', NO_PROXY: '*.Example.org, other' }, undefined],
    ['https://api.example.org:6443', { https_proxy: 'http://p', no_proxy: 'example.org:443' }, 'http://p'],
    ['https://api.example.org:6443', { https_proxy: 'http://p', no_proxy: 'example.org:6443' }, undefined],
    ['https://anexample.org', { https_proxy: 'http://p', no_proxy: 'example.org' }, 'http://p'],
    ['https://10.1.2.3:6443', { https_proxy: 'http://p', no_proxy: '10.0.0.0/8' }, undefined],
    ['https://10.1.2.3:6443', { https_proxy: 'http://p', no_proxy: '10.1.2.3' }, undefined],
    ['https://11.1.2.3:6443', { https_proxy: 'http://p', no_proxy: '10.0.0.0/8,10.0.0.0/99,x/8' }, 'http://p'],
    ['https://[fd00::1]:6443', { https_proxy: 'http://p', no_proxy: 'fd00::/8' }, undefined],
    ['https://[fd00::1]:6443', { https_proxy: 'http://p', no_proxy: '[fd00::1]' }, undefined],
    ['https://api.example.org', { https_proxy: 'http://p', no_proxy: '*' }, undefined],
    ['https://prod.localhost:6443', { https_proxy: 'http://p' }, undefined],
  ];
  for (const [address, env, proxy] of CASES)
    test(`${address} ${JSON.stringify(env)}`, () => assert.equal(proxyFor(address, proxiesOf(env)), proxy));

  test('a request to a remote API server goes through the proxy, one to this machine does not', async () => {
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    proxy.listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.once('listening', resolve));
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const folder = await mkdtemp(join(tmpdir(), 'ananta-proxy-'));
    try {
      const kubeconfig = join(folder, 'config');
      const write = (cluster: object): Promise<void> =>
        writeFile(
          kubeconfig,
          JSON.stringify({
            'current-context': 'c',
            clusters: [{ name: 'c', cluster }],
            users: [{ name: 'u', user: { token: 't' } }],
            contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
          }),
        );
      const connection = { kubeconfig, inCluster: false, proxies: proxiesOf({ https_proxy: address }) };
      await write({ server: 'https://api.example.invalid:6443' });
      const client = createKubernetesClient(connection);
      await assert.rejects(client.clusterUid());
      client.close();
      assert.deepEqual(asked, ['api.example.invalid:6443']);
      await write({ server: 'https://127.0.0.1:6443' });
      assert.equal(loadKubeconfig(connection).getCurrentCluster()?.proxyUrl, undefined);
      await write({ server: 'https://api.example.invalid:6443', 'proxy-url': 'http://own:1' });
      assert.equal(loadKubeconfig(connection).getCurrentCluster()?.proxyUrl, 'http://own:1');
    } finally {
      proxy.close();
      await rm(folder, { recursive: true });
    }
  });
});
