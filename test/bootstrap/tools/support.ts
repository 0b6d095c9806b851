import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { acquireFrom } from '../../../bootstrap/tools/acquire.ts';
import type { AcquireOptions, AcquireSetting, AcquiredTools } from '../../../bootstrap/tools/acquire.ts';
import type { Manifest, Release, ToolSpec } from '../../../bootstrap/tools/manifest/types.ts';
import { toolPlatform } from '../../../bootstrap/tools/platform.ts';

/** A program that says it is Helm of that version. */
export function fakeProgram(version = '4.3.1'): Buffer {
  return Buffer.from(`#!/bin/sh\necho v${version}\n`);
}

export function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ananta-tools-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A publisher on loopback. Requests are counted by path; an unknown path is a 404. */
export async function startPublisher(
  context: TestContext,
  answers: Readonly<Record<string, Buffer | string | Answer>>,
) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const answer = answers[path];
    if (answer === undefined) response.writeHead(404).end();
    else if (typeof answer === 'function') answer(request, response);
    else response.end(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, requests };
}

/** A tool like Helm that has one release for every platform, and no Go module. */
export function toolWith(release: Partial<Release>, more: Partial<ToolSpec> = {}): ToolSpec {
  const whole: Release = {
    url: 'http://127.0.0.1:9/helm',
    archive: { kind: 'none' },
    checksum: { kind: 'pinned', sha256: sha256(fakeProgram()) },
    ...release,
  };
  return {
    name: 'helm',
    version: '4.3.1',
    accepts: { atLeast: '4.3.1', below: '4.4.0' },
    versionQuery: { args: ['version'], pattern: /v(\d+\.\d+\.\d+)/ },
    releases: { 'linux-amd64': whole, 'linux-arm64': whole, 'darwin-amd64': whole, 'darwin-arm64': whole },
    goBuild: { family: 'tiny', package: 'ananta.invalid/tiny', tags: [], variables: {} },
    ...more,
  };
}

/** Families of Go modules for tests: `tiny` needs nothing but a Go command. */
export async function tinyModules(folder: string): Promise<string> {
  const modules = join(folder, 'gomod');
  await mkdir(join(modules, 'tiny'), { recursive: true });
  await writeFile(join(modules, 'tiny', 'go.mod'), 'module ananta.invalid/tiny\n\ngo 1.21.0\n');
  await writeFile(
    join(modules, 'tiny', 'main.go'),
    'package main\n\nvar version = "0.0.0"\n\nfunc main() { println("v" + version) }\n',
  );
  return modules;
}

/** Where only sh and the like are: no tools, no Go. */
export const BARE_PATH = '/usr/bin:/bin';

export async function acquire(
  folder: string,
  specs: readonly ToolSpec[],
  options: Partial<AcquireOptions> = {},
  setting: Partial<AcquireSetting> = {},
): Promise<AcquiredTools> {
  const manifest: Manifest = Object.fromEntries(specs.map((spec) => [spec.name, spec]));
  return acquireFrom(
    {
      manifest,
      modules: setting.modules ?? (await tinyModules(folder)),
      platform: toolPlatform(),
      timeouts: { connect: 500, answer: 500, silence: 500, pause: 10 },
      ...setting,
    },
    { names: specs.map(({ name }) => name), cacheDir: join(folder, 'cache'), env: { PATH: BARE_PATH }, ...options },
  );
}

/** An executable on a PATH of its own. */
export async function putOnPath(folder: string, name: string, content: Buffer): Promise<string> {
  const bin = join(folder, `bin-${sha256(content).slice(0, 8)}`);
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, name), content);
  await chmod(join(bin, name), 0o755);
  return bin;
}

/** Work folders and locks that are left; none after a run that was not killed. */
export async function leftovers(folder: string): Promise<string[]> {
  const all = await Promise.all(['tmp', 'locks'].map((name) => readdir(join(folder, 'cache', name)).catch(() => [])));
  return all.flat();
}

/** Looks every 50 ms, for half a minute at most. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await condition()) return;
    await sleep(50);
  }
  assert.fail(`never: ${what}`);
}
