import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { ToolsUnavailableError } from '../../../bootstrap/tools/errors.ts';
import { findChecksum } from '../../../bootstrap/tools/release.ts';
import type { ToolProgress } from '../../../bootstrap/tools/types.ts';
import {
  BARE_PATH,
  acquire,
  fakeProgram,
  leftovers,
  sha256,
  startPublisher,
  temporaryFolder,
  toolWith,
} from './support.ts';

const program = fakeProgram();

/** How the release went, in the error's words. */
async function releaseOutcome(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.fail('it was installed'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ToolsUnavailableError, String(error));
  return error.attempts.find(({ way }) => way === 'release' || way === 'mirror')?.outcome ?? '';
}

describe('a publisher’s release', () => {
  it('is downloaded, checked, installed with a receipt, and found in the cache by the next run', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await startPublisher(context, { '/helm': program });
    const spec = toolWith({ url: `${publisher.url}/helm` });
    const events: ToolProgress[] = [];
    const tools = await acquire(folder, [spec], { onProgress: (event) => events.push(event) });
    const tool = await tools.get('helm');
    assert.deepEqual([tool.source, tool.version, tool.sha256], ['release', '4.3.1', sha256(program)]);
    assert.equal((await stat(tool.path)).mode & 0o777, 0o755);
    assert.deepEqual([...new Set(events.map(({ stage }) => stage))], ['looking', 'downloading', 'verifying', 'ready']);
    const again = await (await acquire(folder, [spec])).get('helm');
    assert.deepEqual(again, { ...tool, source: 'cache' });
    assert.deepEqual(publisher.requests, ['/helm']);
    assert.deepEqual(await leftovers(folder), []);
  });

  it('is asked for through the proxy that the environment names', async (context) => {
    const folder = await temporaryFolder(context);
    const proxy = await startPublisher(context, { 'http://publisher.invalid/helm': program });
    const spec = toolWith({ url: 'http://publisher.invalid/helm' });
    const direct = await acquire(folder, [spec], {
      env: { PATH: BARE_PATH, HTTP_PROXY: proxy.url, NO_PROXY: 'publisher.invalid' },
    });
    assert.match(await releaseOutcome(direct.all()), /publisher\.invalid cannot be reached/);
    const proxied = await acquire(folder, [spec], { env: { PATH: BARE_PATH, HTTP_PROXY: proxy.url } });
    assert.equal((await proxied.get('helm')).source, 'release');
  });

  it('is not installed with a wrong checksum', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await startPublisher(context, { '/helm': fakeProgram('6.6.6') });
    const tools = await acquire(folder, [toolWith({ url: `${publisher.url}/helm` })]);
    const outcome = await releaseOutcome(tools.all());
    assert.match(outcome, /wrong checksum, nothing was installed/);
    assert.match(outcome, new RegExp(sha256(program)));
    assert.deepEqual(await leftovers(folder), []);
  });

  it('is checked against the publisher’s list where no sum is pinned', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await startPublisher(context, {
      '/helm': program,
      '/sums': `${'0'.repeat(64)}  other\n${sha256(program)}  helm\n`,
      '/empty': '',
    });
    const url = `${publisher.url}/helm`;
    const unnamed = await acquire(folder, [
      toolWith({ url, checksum: { kind: 'publisher-file', url: `${publisher.url}/empty` } }),
    ]);
    assert.match(await releaseOutcome(unnamed.all()), /names no sha256 for helm/);
    const missing = await acquire(folder, [
      toolWith({ url, checksum: { kind: 'publisher-file', url: `${publisher.url}/none` } }),
    ]);
    assert.match(await releaseOutcome(missing.all()), /404 Not Found/);
    const named = await acquire(folder, [
      toolWith({ url, checksum: { kind: 'publisher-file', url: `${publisher.url}/sums` } }),
    ]);
    assert.equal((await named.get('helm')).source, 'release');
  });

  it('is asked for once more when the connection is cut, and given up when it is cut again', async (context) => {
    const folder = await temporaryFolder(context);
    let cuts = 1;
    const publisher = await startPublisher(context, {
      '/helm': (_request, response) => {
        response.writeHead(200, { 'content-length': program.length });
        if (cuts === 0) return void response.end(program);
        cuts -= 1;
        response.write(program.subarray(0, 10), () => response.destroy());
      },
    });
    const spec = toolWith({ url: `${publisher.url}/helm` });
    assert.equal((await (await acquire(folder, [spec])).get('helm')).source, 'release');
    cuts = 2;
    const other = await temporaryFolder(context);
    const outcome = await releaseOutcome((await acquire(other, [spec])).all());
    assert.match(outcome, /the connection was cut after 10 of \d+ bytes/);
    assert.deepEqual(await leftovers(other), []);
  });

  it('is given up when the body stops coming', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await startPublisher(context, {
      '/helm': (_request, response) => {
        response.writeHead(200, { 'content-length': program.length });
        response.write(program.subarray(0, 10));
      },
    });
    const tools = await acquire(folder, [toolWith({ url: `${publisher.url}/helm` })]);
    assert.match(await releaseOutcome(tools.all()), /nothing more came for 0\.5 s/);
  });

  it('is not asked for again when the answer is no', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await startPublisher(context, {});
    const tools = await acquire(folder, [toolWith({ url: `${publisher.url}/helm` })]);
    assert.match(await releaseOutcome(tools.all()), /\/helm answered 404 Not Found/);
    assert.deepEqual(publisher.requests, ['/helm']);
  });

  it('is followed through redirects, but not in circles', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await startPublisher(context, {
      '/helm': (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
      '/elsewhere': program,
      '/circle': (_request, response) => response.writeHead(302, { location: '/circle' }).end(),
    });
    const circle = await acquire(folder, [toolWith({ url: `${publisher.url}/circle` })]);
    assert.match(await releaseOutcome(circle.all()), /redirects more than 5 times/);
    const tools = await acquire(folder, [toolWith({ url: `${publisher.url}/helm` })]);
    assert.equal((await tools.get('helm')).source, 'release');
  });

  it('is given up when it is something else than the manifest says', async (context) => {
    const folder = await temporaryFolder(context);
    const other = fakeProgram('4.3.2');
    const publisher = await startPublisher(context, { '/helm': other });
    const tools = await acquire(folder, [
      toolWith({ url: `${publisher.url}/helm`, checksum: { kind: 'pinned', sha256: sha256(other) } }),
    ]);
    assert.match(await releaseOutcome(tools.all()), /is version 4\.3\.2, not 4\.3\.1/);
  });
});

describe('a host that cannot be reached', () => {
  it('is found out once for all tools', async (context) => {
    const folder = await temporaryFolder(context);
    const sockets: import('node:net').Socket[] = [];
    // The server accepts connections and never answers, as some firewalls do.
    const server = createServer((socket) => sockets.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const names = ['helm', 'temporal', 'kwok'] as const;
    const began = performance.now();
    const tools = await acquire(
      folder,
      names.map((name) => toolWith({ url: `${url}/${name}` }, { name })),
    );
    const error = await tools.all().catch((reason: unknown) => reason);
    assert.ok(error instanceof ToolsUnavailableError);
    const outcomes = error.attempts.filter(({ way }) => way === 'release').map(({ outcome }) => outcome);
    assert.equal(outcomes.length, 3);
    for (const outcome of outcomes) assert.match(outcome, /cannot be reached: no connection within 0\.5 s/);
    assert.equal(sockets.length, 1);
    assert.ok(performance.now() - began < 20_000);
  });

  it('is told from one that takes the request and does not answer', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await startPublisher(context, { '/helm': () => undefined });
    const tools = await acquire(folder, [toolWith({ url: `${publisher.url}/helm` })]);
    assert.match(await releaseOutcome(tools.all()), /no answer within 0\.5 s/);
  });
});

describe('a mirror', () => {
  it('is asked instead of the publisher, with the publisher’s host and path', async (context) => {
    const folder = await temporaryFolder(context);
    const mirror = await startPublisher(context, { '/base/publisher.invalid/v1/helm': program });
    const tools = await acquire(folder, [toolWith({ url: 'https://publisher.invalid/v1/helm' })], {
      mirror: `${mirror.url}/base/`,
    });
    assert.equal((await tools.get('helm')).source, 'release');
  });

  it('gives the list of checksums only where the publisher cannot be asked', async (context) => {
    const folder = await temporaryFolder(context);
    const evil = fakeProgram('6.6.6');
    const publisher = await startPublisher(context, { '/sums': `${sha256(program)}  helm\n` });
    const mirror = await startPublisher(context, {
      [`/${publisher.host}/helm`]: evil,
      [`/${publisher.host}/sums`]: `${sha256(evil)}  helm\n`,
      '/publisher.invalid/helm': program,
      '/publisher.invalid/sums': `${sha256(program)}  helm\n`,
    });
    const false_ = toolWith({
      url: `${publisher.url}/helm`,
      checksum: { kind: 'publisher-file', url: `${publisher.url}/sums` },
    });
    assert.match(
      await releaseOutcome((await acquire(folder, [false_], { mirror: mirror.url })).all()),
      /wrong checksum/,
    );
    const url = 'https://publisher.invalid/helm';
    const only = toolWith({ url, checksum: { kind: 'publisher-file', url: 'https://publisher.invalid/sums' } });
    assert.equal((await (await acquire(folder, [only], { mirror: mirror.url })).get('helm')).source, 'release');
  });
});

describe('the cache', () => {
  it('replaces a program that is not what was installed', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await startPublisher(context, { '/helm': program });
    const spec = toolWith({ url: `${publisher.url}/helm` });
    const { path } = await (await acquire(folder, [spec])).get('helm');
    await writeFile(path, fakeProgram('6.6.66'));
    const tool = await (await acquire(folder, [spec])).get('helm');
    assert.equal(tool.source, 'release');
    assert.deepEqual(await readFile(path), program);
    assert.deepEqual(await leftovers(folder), []);
  });
});

describe('a list of checksums', () => {
  const sum = 'A'.repeat(64);
  it('is read in the forms that publishers use', () => {
    assert.equal(findChecksum(`${sum}  helm.tar.gz\n`, 'helm.tar.gz'), sum.toLowerCase());
    assert.equal(findChecksum(`${sum} *./helm.tar.gz\n`, 'helm.tar.gz'), sum.toLowerCase());
    assert.equal(findChecksum(`${sum}\n`, 'helm.tar.gz'), sum.toLowerCase());
    assert.equal(findChecksum(`${sum}  other-helm.tar.gz\n`, 'helm.tar.gz'), undefined);
    assert.equal(findChecksum('<html>not found</html>', 'helm.tar.gz'), undefined);
  });
});
