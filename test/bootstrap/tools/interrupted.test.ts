import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { processIdentity } from '../../../bootstrap/process/identity.ts';
import type { InstalledTool, ToolProgress } from '../../../bootstrap/tools/types.ts';
import {
  BARE_PATH,
  acquire,
  fakeProgram,
  leftovers,
  putOnPath,
  startPublisher,
  temporaryFolder,
  toolWith,
  until,
} from './support.ts';

const script = new URL('acquire-child.ts', import.meta.url).pathname;

interface Run {
  child: ChildProcess;
  events: ToolProgress[];
  ended: Promise<unknown>;
  /** The tool, when it got it. */
  tool: () => InstalledTool | undefined;
}

function start(context: TestContext, folder: string, url: string, path = BARE_PATH): Run {
  const child = spawn(process.execPath, [script, folder, url, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(() => child.kill('SIGKILL'));
  const events: ToolProgress[] = [];
  let tool: InstalledTool | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line) as ToolProgress | InstalledTool;
    if ('stage' in said) events.push(said);
    else tool = said;
  });
  return { child, events, ended: once(child, 'close'), tool: () => tool };
}

/** A publisher whose first answer stops in the middle until it is let go. */
async function hesitantPublisher(context: TestContext) {
  const waiting: ServerResponse[] = [];
  const program = fakeProgram();
  const publisher = await startPublisher(context, {
    '/helm': (_request, response) => {
      response.writeHead(200, { 'content-length': program.length });
      if (waiting.push(response) > 1) response.end(program);
      else response.write(program.subarray(0, 10));
    },
  });
  return {
    url: `${publisher.url}/helm`,
    requests: publisher.requests,
    letGo: () => waiting[0]?.end(program.subarray(10)),
  };
}

describe('two runs at once', () => {
  it('install a tool once: the second waits, says for whom, and finds it', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await hesitantPublisher(context);
    const first = start(context, folder, publisher.url);
    await until('the first downloads', () => publisher.requests.length === 1);
    const second = start(context, folder, publisher.url);
    await until('the second waits', () => second.events.some(({ stage }) => stage === 'waiting'));
    assert.equal(second.events.at(-1)?.detail, `for process ${first.child.pid}, which installs it`);
    publisher.letGo();
    await Promise.all([first.ended, second.ended]);
    assert.equal(first.tool()?.source, 'release');
    assert.equal(second.tool()?.source, 'cache');
    assert.equal(publisher.requests.length, 1);
    assert.deepEqual(await leftovers(folder), []);
  });
});

describe('a run that is interrupted while it downloads', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    it(`by ${signal} installs nothing, and the next run does`, async (context) => {
      const folder = await temporaryFolder(context);
      const publisher = await hesitantPublisher(context);
      const first = start(context, folder, publisher.url);
      await until('it downloads', () => publisher.requests.length === 1);
      first.child.kill(signal);
      assert.deepEqual(await first.ended, [null, signal]);
      await assert.rejects(readdir(join(folder, 'cache', 'tools')), { code: 'ENOENT' });
      const tool = await (await acquire(folder, [toolWith({ url: publisher.url })])).get('helm');
      assert.equal(tool.source, 'release');
      assert.deepEqual(await leftovers(folder), []);
    });
  }

  it('by its caller ends with the caller’s reason and leaves nothing', async (context) => {
    const folder = await temporaryFolder(context);
    const publisher = await hesitantPublisher(context);
    const controller = new AbortController();
    const tools = await acquire(folder, [toolWith({ url: publisher.url })], { signal: controller.signal });
    await until('it downloads', () => publisher.requests.length === 1);
    controller.abort(new Error('stop now'));
    await assert.rejects(tools.all(), /stop now/);
    assert.deepEqual(await leftovers(folder), []);
  });
});

/** A Go command that never finishes, with a compiler below it that outlives its parent. */
async function endlessGo(folder: string): Promise<{ path: string; compiler: () => Promise<number | undefined> }> {
  const note = join(folder, 'compiler');
  const go = `#!/bin/sh
if [ "$1" = env ]; then printf 'go1.99.0\\nauto\\n'; exit; fi
sleep 300 &
echo $! > ${note}
wait
`;
  const bin = await putOnPath(folder, 'go', Buffer.from(go));
  const compiler = async (): Promise<number | undefined> => {
    const text = await readFile(note, 'utf8').catch(() => '');
    return text === '' ? undefined : Number(text);
  };
  return { path: `${bin}:${BARE_PATH}`, compiler };
}

async function isGone(pid: number): Promise<boolean> {
  return (await processIdentity(pid)) === undefined;
}

describe('a run that is interrupted while it builds', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`by ${signal} takes the compiler with it`, async (context) => {
      const folder = await temporaryFolder(context);
      const go = await endlessGo(folder);
      const run = start(context, folder, 'http://127.0.0.1:9/helm', go.path);
      await until('it compiles', async () => (await go.compiler()) !== undefined);
      const compiler = (await go.compiler())!;
      run.child.kill(signal);
      assert.deepEqual(await run.ended, [null, signal]);
      await until('the compiler is gone', () => isGone(compiler));
    });
  }

  it('by SIGKILL leaves a compiler that the next run ends', async (context) => {
    const folder = await temporaryFolder(context);
    const go = await endlessGo(folder);
    const run = start(context, folder, 'http://127.0.0.1:9/helm', go.path);
    await until('it compiles', async () => (await go.compiler()) !== undefined);
    await until('it is noted', async () =>
      (await readdir(join(folder, 'cache', 'tmp'), { recursive: true })).some((file) => file.endsWith('child.json')),
    );
    const compiler = (await go.compiler())!;
    run.child.kill('SIGKILL');
    await run.ended;
    assert.equal(await isGone(compiler), false);
    const publisher = await startPublisher(context, { '/helm': fakeProgram() });
    await (await acquire(folder, [toolWith({ url: `${publisher.url}/helm` })])).all();
    await until('the compiler is gone', () => isGone(compiler));
    assert.deepEqual(await leftovers(folder), []);
  });

  it('by its caller ends the compiler too', async (context) => {
    const folder = await temporaryFolder(context);
    const go = await endlessGo(folder);
    const controller = new AbortController();
    const tools = await acquire(folder, [toolWith({})], { env: { PATH: go.path }, signal: controller.signal });
    await until('it compiles', async () => (await go.compiler()) !== undefined);
    controller.abort(new Error('stop now'));
    await assert.rejects(tools.all(), /stop now/);
    await until('the compiler is gone', async () => isGone((await go.compiler())!));
    assert.deepEqual(await leftovers(folder), []);
  });
});
