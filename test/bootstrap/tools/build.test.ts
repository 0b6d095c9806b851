import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { ToolsUnavailableError } from '../../../bootstrap/tools/errors.ts';
import { goEnvironment } from '../../../bootstrap/tools/go/environment.ts';
import { findExecutables } from '../../../bootstrap/tools/onpath.ts';
import { formatProgress } from '../../../bootstrap/tools/progress.ts';
import type { ToolSpec } from '../../../bootstrap/tools/manifest/types.ts';
import {
  BARE_PATH,
  acquire,
  leftovers,
  putOnPath,
  startPublisher,
  temporaryFolder,
  toolWith,
  until,
} from './support.ts';

const [go] = await findExecutables('go', process.env['PATH']);
const skip = go === undefined ? 'there is no Go command here' : false;
const PATH = `${go === undefined ? '' : dirname(go)}:${BARE_PATH}`;

const buildOf = (variables: Readonly<Record<string, string>>): ToolSpec['goBuild'] => ({
  family: 'tiny',
  package: 'ananta.invalid/tiny',
  tags: [],
  variables,
});

async function failure(promise: Promise<unknown>): Promise<ToolsUnavailableError> {
  const error = await promise.then(
    () => assert.fail('it was installed'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ToolsUnavailableError, String(error));
  return error;
}

async function unreachable(context: TestContext): Promise<string> {
  return (await startPublisher(context, {})).url;
}

describe('a build from source', { skip }, () => {
  it('is made where the release cannot be had, with the version stamped in and nothing written elsewhere', async (context) => {
    const folder = await temporaryFolder(context);
    const spec = toolWith(
      { url: `${await unreachable(context)}/helm` },
      { goBuild: buildOf({ 'main.version': '4.3.1' }) },
    );
    const stages: string[] = [];
    const home = join(folder, 'home');
    await mkdir(home);
    const tools = await acquire(folder, [spec], {
      env: { PATH, HOME: home, GOFLAGS: '-mod=vendor', GOOS: 'plan9' },
      onProgress: ({ stage }) => stages.push(stage),
    });
    const tool = await tools.get('helm');
    assert.deepEqual([tool.source, tool.version], ['build', '4.3.1']);
    assert.ok(stages.includes('building'));
    assert.deepEqual(await readdir(home), []);
    await tools.all();
    assert.equal((await (await acquire(folder, [spec])).get('helm')).source, 'cache');
    // Every tool of this manifest is there, so what only builds need goes.
    await until("Go's caches are removed", async () => !(await readdir(join(folder, 'cache'))).includes('go'));
  });

  it('tells what the compiler said', async (context) => {
    const folder = await temporaryFolder(context);
    const spec = toolWith(
      { url: `${await unreachable(context)}/helm` },
      { goBuild: { ...buildOf({}), package: 'ananta.invalid/tiny/absent' } },
    );
    const error = await failure((await acquire(folder, [spec], { env: { PATH } })).all());
    assert.match(
      error.attempts.at(-1)?.outcome ?? '',
      /go build ended with exit code 1: .*ananta\.invalid\/tiny\/absent/,
    );
    assert.deepEqual(await leftovers(folder), []);
  });

  it('does not take a module that the committed sums do not know', async (context) => {
    const folder = await temporaryFolder(context);
    const spec = toolWith(
      { url: `${await unreachable(context)}/helm` },
      { goBuild: { ...buildOf({}), package: 'example.invalid/other' } },
    );
    const error = await failure((await acquire(folder, [spec], { env: { PATH, GOPROXY: 'off' } })).all());
    assert.match(error.attempts.at(-1)?.outcome ?? '', /example\.invalid\/other/);
  });
});

describe('a Go command', () => {
  it('that is too old and may not fetch a newer one is refused in words', async (context) => {
    const folder = await temporaryFolder(context);
    const bin = await putOnPath(folder, 'go', Buffer.from("#!/bin/sh\nprintf 'go1.20.1\\nlocal\\n'\n"));
    const spec = toolWith({ url: `${await unreachable(context)}/helm` });
    const error = await failure((await acquire(folder, [spec], { env: { PATH: `${bin}:${BARE_PATH}` } })).all());
    assert.match(
      error.attempts.at(-1)?.outcome ?? '',
      /is Go 1\.20\.1, 1\.21\.0 is needed, and GOTOOLCHAIN=local forbids/,
    );
  });

  it('keeps the caller’s proxy and credentials, but writes only below the cache', () => {
    const env = goEnvironment('/cache', {
      PATH: '/bin',
      HOME: '/home/me',
      XDG_CONFIG_HOME: '/home/me/cfg',
      GOPROXY: 'https://proxy.invalid',
      GOFLAGS: '-x',
    });
    assert.equal(env['GOPROXY'], 'https://proxy.invalid');
    assert.equal(env['NETRC'], '/home/me/.netrc');
    assert.equal(env['GOFLAGS'], '-mod=readonly');
    for (const name of ['HOME', 'GOPATH', 'GOMODCACHE', 'GOCACHE']) assert.match(env[name] ?? '', /^\/cache\/go\//);
    assert.equal(env['XDG_CONFIG_HOME'], undefined);
  });

  it('whose module proxy cannot be reached is not started again for the next tool', async (context) => {
    const folder = await temporaryFolder(context);
    const script = `#!/bin/sh
if [ "$1" = env ]; then printf 'go1.99.0\\nauto\\n'; exit; fi
echo x >> ${folder}/started
echo 'go: example.invalid/x@v1.0.0: Get "https://proxy.invalid/x": dial tcp: lookup proxy.invalid: no such host' >&2
exit 1
`;
    const bin = await putOnPath(folder, 'go', Buffer.from(script));
    const url = await unreachable(context);
    const specs = [toolWith({ url: `${url}/helm` }), toolWith({ url: `${url}/kwok` }, { name: 'kwok' })];
    const error = await failure((await acquire(folder, specs, { env: { PATH: `${bin}:${BARE_PATH}` } })).all());
    const outcomes = error.attempts.filter(({ way }) => way === 'build').map(({ outcome }) => outcome);
    assert.match(outcomes[0] ?? '', /lookup proxy\.invalid: no such host/);
    assert.match(outcomes[1] ?? '', /^not tried again: go build ended/);
  });
});

describe('the order of builds', () => {
  it('is the order of need, whatever is found out first', async (context) => {
    const folder = await temporaryFolder(context);
    const script = `#!/bin/sh
if [ "$1" = env ]; then printf 'go1.99.0\\nauto\\n'; exit; fi
for last; do :; done
echo "$last" >> ${folder}/order
exit 1
`;
    const bin = await putOnPath(folder, 'go', Buffer.from(script));
    // The first tool's publisher refuses late.
    const publisher = await startPublisher(context, {
      '/slow': (_request, response) => void setTimeout(() => response.writeHead(404).end(), 300),
    });
    const names = ['temporal', 'helm', 'kwok', 'etcd'] as const;
    const specs = names.map((name, at) =>
      toolWith(
        { url: `${publisher.url}/${at === 0 ? 'slow' : name}` },
        { name, goBuild: { ...buildOf({}), package: name } },
      ),
    );
    await failure((await acquire(folder, specs, { env: { PATH: `${bin}:${BARE_PATH}` } })).all());
    assert.deepEqual((await readFile(join(folder, 'order'), 'utf8')).trim().split('\n'), names);
  });
});

describe('when nothing works', () => {
  it('the error tells each way, its answer, and what to do', async (context) => {
    const folder = await temporaryFolder(context);
    const bin = await putOnPath(folder, 'helm', Buffer.from('#!/bin/sh\necho v3.1.4\n'));
    const none = { unavailable: 'nobody publishes it' };
    const specs = [
      toolWith({ url: 'http://127.0.0.1:9/helm' }),
      toolWith(
        {},
        {
          name: 'kwok',
          releases: { 'linux-amd64': none, 'linux-arm64': none, 'darwin-amd64': none, 'darwin-arm64': none },
        },
      ),
    ];
    const tools = await acquire(folder, specs, { env: { PATH: `${bin}:/nonexistent` } });
    const error = await failure(tools.all());
    assert.deepEqual(error.tools, ['helm', 'kwok']);
    for (const part of [
      /^2 tools are needed and could not be had\.$/m,
      /^ {4}on the PATH: \S+\/helm is 3\.1\.4, wanted is 4\.3\.1 or newer, but below 4\.4\.0$/m,
      /^ {4}in the cache: not there$/m,
      /^ {4}publisher's release: 127\.0\.0\.1:9 cannot be reached: .*ECONNREFUSED/m,
      /^ {4}publisher's release: none for \S+: nobody publishes it$/m,
      /^ {4}build from source: no go command on the PATH$/m,
      /^ {2}- let this machine reach 127\.0\.0\.1:9/m,
      /ANANTA_TOOLS_MIRROR/,
      /install Go 1\.21\.0 or newer/,
      /put on the PATH: helm \(4\.3\.1 or newer, below 4\.4\.0\), kwok/,
    ])
      assert.match(error.message, part);
    const alone = await failure(tools.get('kwok'));
    assert.match(alone.message, /^kwok is needed and could not be had\.$/m);
    assert.doesNotMatch(alone.message, /helm/);
  });

  it('a cache folder that cannot be made is said to be one', async (context) => {
    const folder = await temporaryFolder(context);
    await writeFile(join(folder, 'cache'), 'a file where the folder belongs');
    await assert.rejects((await acquire(folder, [toolWith({})])).all(), /ENOTDIR|EEXIST/);
  });
});

describe('progress in plain lines', () => {
  it('names the tool, what happens, and how far it is', () => {
    const event = { tool: 'helm', version: '4.3.1', elapsedSeconds: 61.4 } as const;
    assert.equal(
      formatProgress({ ...event, stage: 'downloading', bytes: 12_345_678, total: 18_100_000, detail: 'get.helm.sh' }),
      'helm 4.3.1: downloading 12.3 of 18.1 MB, get.helm.sh',
    );
    assert.equal(
      formatProgress({ ...event, stage: 'downloading', bytes: 1_000_000 }),
      'helm 4.3.1: downloading 1.0 MB',
    );
    assert.equal(
      formatProgress({ ...event, stage: 'building', detail: '3 packages compiled' }),
      'helm 4.3.1: building, 3 packages compiled, 61 s',
    );
  });
});
