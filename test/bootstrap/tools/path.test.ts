import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findInstalledTools } from '../../../bootstrap/tools/installed.ts';
import { compareVersions } from '../../../bootstrap/tools/manifest/versions.ts';
import type { InstalledTool } from '../../../bootstrap/tools/types.ts';
import { needsKubernetesAuthPlugin } from '../../../bootstrap/tools/go/vault.ts';
import {
  BARE_PATH,
  acquire,
  fakeProgram,
  putOnPath,
  sha256,
  startPublisher,
  temporaryFolder,
  toolWith,
} from './support.ts';

describe('a tool on the PATH', () => {
  it('is used when its version fits, and nothing is downloaded', async (context) => {
    const folder = await temporaryFolder(context);
    const bin = await putOnPath(folder, 'helm', fakeProgram('4.3.9'));
    const tool = await (await acquire(folder, [toolWith({})], { env: { PATH: `${bin}:${BARE_PATH}` } })).get('helm');
    assert.deepEqual(tool, {
      name: 'helm',
      version: '4.3.9',
      path: join(bin, 'helm'),
      source: 'path',
      sha256: sha256(fakeProgram('4.3.9')),
    });
  });

  it('is passed over when it is too old, too new, silent or broken, and a later one may fit', async (context) => {
    const folder = await temporaryFolder(context);
    const unfit = [
      fakeProgram('4.3.0'),
      fakeProgram('4.4.0'),
      Buffer.from('#!/bin/sh\necho hello\n'),
      Buffer.from('#!/bin/sh\nexit 3\n'),
    ];
    const bins = await Promise.all(unfit.map((program) => putOnPath(folder, 'helm', program)));
    const fitting = await putOnPath(folder, 'helm', fakeProgram('4.3.2'));
    const found = await (await acquire(folder, [toolWith({})], { env: { PATH: [...bins, fitting].join(':') } })).get(
      'helm',
    );
    assert.equal(found.path, join(fitting, 'helm'));

    const publisher = await startPublisher(context, { '/helm': fakeProgram() });
    const spec = toolWith({ url: `${publisher.url}/helm` });
    const downloaded = await (await acquire(folder, [spec], { env: { PATH: [...bins, BARE_PATH].join(':') } })).get(
      'helm',
    );
    assert.equal(downloaded.source, 'release');
  });

  it('is not looked for in relative folders', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await startPublisher(context, { '/helm': fakeProgram() });
    const env = { PATH: `.::bin:${BARE_PATH}` };
    const tool = await (await acquire(folder, [toolWith({ url: `${publisher.url}/helm` })], { env })).get('helm');
    assert.equal(tool.source, 'release');
  });

  it('counts as cached when it is a link into our own cache', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await startPublisher(context, { '/helm': fakeProgram() });
    const spec = toolWith({ url: `${publisher.url}/helm` });
    const { path } = await (await acquire(folder, [spec])).get('helm');
    await mkdir(join(folder, 'bin'));
    await symlink(path, join(folder, 'bin', 'helm'));
    const tool = await (await acquire(folder, [spec], { env: { PATH: `${join(folder, 'bin')}:${BARE_PATH}` } })).get(
      'helm',
    );
    assert.equal(tool.source, 'cache');
  });
});

describe('what is there now', () => {
  it('is told without installing anything', async (context) => {
    const folder = await temporaryFolder(context);
    const cacheDir = join(folder, 'cache');
    const publisher = await startPublisher(context, { '/helm': fakeProgram() });
    const spec = toolWith({ url: `${publisher.url}/helm` });
    assert.equal((await findInstalledTools(cacheDir, {}, { helm: spec })).size, 0);
    assert.deepEqual(publisher.requests, []);
    await (await acquire(folder, [spec])).all();
    assert.equal((await findInstalledTools(cacheDir, {}, { helm: spec })).get('helm')?.source, 'cache');
    const bin = await putOnPath(folder, 'helm', fakeProgram('4.3.9'));
    assert.equal((await findInstalledTools(cacheDir, { PATH: bin }, { helm: spec })).get('helm')?.source, 'path');
  });
});

describe('versions', () => {
  it('are compared by number', () => {
    assert.ok(compareVersions('1.10.0', '1.9.9') > 0);
    assert.ok(compareVersions('1.9', '1.9.1') <= 0);
    assert.equal(compareVersions('1.2.3', '1.2.3'), 0);
  });
});

describe('Vault’s Kubernetes auth method', () => {
  const vault = (path: string, source: InstalledTool['source']): InstalledTool => ({
    name: 'vault',
    version: '1.21.0',
    path,
    source,
    sha256: '',
  });

  it('is missing in the minimal build only, wherever the program came from', async (context) => {
    const folder = await temporaryFolder(context);
    const path = join(folder, 'vault');
    // Vault's build tags lie across two of the blocks in which the file is read.
    await writeFile(
      path,
      Buffer.concat([Buffer.alloc((1 << 22) - 12), Buffer.from('build\t-tags=minimal\nbuild\tCGO_ENABLED=0\n')]),
    );
    assert.equal(await needsKubernetesAuthPlugin(vault(path, 'path')), true);
    await writeFile(path, 'build\t-tags=ui,release\n');
    assert.equal(await needsKubernetesAuthPlugin(vault(path, 'path')), false);
    assert.equal(await needsKubernetesAuthPlugin(vault(path, 'release')), false);
    assert.equal(await needsKubernetesAuthPlugin(vault(path, 'build')), true);
    await writeFile(
      join(folder, 'receipt.json'),
      JSON.stringify({ name: 'vault', version: '1.21.0', source: 'build', sha256: 'a'.repeat(64), installedAt: '' }),
    );
    assert.equal(await needsKubernetesAuthPlugin(vault(path, 'cache')), true);
  });

  it('needs no plugin beside a released Vault', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await startPublisher(context, { '/vault': fakeProgram() });
    const released = toolWith({ url: `${publisher.url}/vault` }, { name: 'vault' });
    const none = { unavailable: 'built in' };
    const releases = { 'linux-amd64': none, 'linux-arm64': none, 'darwin-amd64': none, 'darwin-arm64': none };
    const plugin = toolWith({}, { name: 'vault-plugin-auth-kubernetes', releases });
    const tools = await acquire(folder, [plugin, released]);
    assert.deepEqual([...(await tools.all()).keys()], ['vault']);
    await assert.rejects(tools.get('vault-plugin-auth-kubernetes'), { name: 'ToolNotNeededError' });
  });
});
