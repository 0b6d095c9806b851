/** The MCP server, asked by the protocol's own client, which starts it as an assistant would. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { readConfig } from '../../src/config.ts';
import { wholeMini } from '../support/mini.ts';

const READING = ['drift_show', 'evidence', 'explain', 'history', 'plan', 'status'];
const CHANGING = ['cancel', 'deploy'];
const { repoRoot, cacheDir } = readConfig();

const programArgs = ['--disable-warning=ExperimentalWarning', join(repoRoot, 'src', 'cli', 'main.ts')];
const programEnv = (state: string): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: tmpdir(),
  ANANTA_STATE_DIR: state,
  ANANTA_CACHE_DIR: cacheDir,
});

interface Answer {
  text: string;
  isError: boolean;
}

class Assistant {
  readonly client = new Client({ name: 'test', version: '0' });
  readonly transport: StdioClientTransport;
  constructor(state: string, args: readonly string[]) {
    this.transport = new StdioClientTransport({
      command: process.execPath,
      args: [...programArgs, 'mcp', ...args],
      env: programEnv(state),
      stderr: 'ignore',
    });
  }
  async tools(): Promise<string[]> {
    return (await this.client.listTools()).tools.map(({ name }) => name).sort();
  }
  async call(name: string, args: Record<string, unknown>): Promise<Answer> {
    const { content, isError } = (await this.client.callTool({ name, arguments: args })) as {
      content: { type: string; text: string }[];
      isError?: boolean;
    };
    return { text: content.map(({ text }) => text).join(''), isError: isError === true };
  }
}

describe('ananta mcp', { concurrency: 3 }, () => {
  let state: string;
  let reader: Assistant;
  let changer: Assistant;
  before(async () => {
    state = await mkdtemp(join(tmpdir(), 'ananta-mcp-test-'));
    reader = new Assistant(state, []);
    changer = new Assistant(state, ['--env', 'mini', '--env', 'prod', '--allow-changes']);
    await Promise.all([reader, changer].map(({ client, transport }) => client.connect(transport)));
    const folder = join(state, 'mini', 'evidence', 'run-1');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'web.txt'), '# web: not healthy in time\nevents\n');
    await writeFile(join(state, 'mini', 'evidence', 'vault-keys.txt'), 'what lies beside is no evidence');
  });
  after(async () => {
    await Promise.all([reader, changer].map(({ client }) => client.close()));
    await rm(state, { recursive: true, force: true });
  });

  test('reads only, unless told otherwise; each tool says so itself', async () => {
    assert.deepEqual(await reader.tools(), READING);
    assert.deepEqual(await changer.tools(), [...READING, ...CHANGING].sort());
    for (const { name, annotations, description, inputSchema } of (await changer.client.listTools()).tools) {
      assert.equal(annotations?.readOnlyHint, READING.includes(name), name);
      assert.ok((description ?? '').length > 20, name);
      assert.ok(inputSchema.required?.includes('env'), name);
    }
    assert.match((await reader.call('deploy', { env: 'mini', digest: 'abcdef0123456789' })).text, /not found/);
  });

  test('answers what the command of the same name does with --json', async () => {
    const { text, isError } = await reader.call('plan', { env: 'mini' });
    assert.equal(isError, false, text);
    const plan = JSON.parse(text) as { environment: string; changes: boolean; services: { name: string }[] };
    assert.deepEqual([plan.environment, plan.changes], ['mini', true]);
    assert.deepEqual(
      plan.services.map(({ name }) => name),
      (await wholeMini()).services.map(({ name }) => name),
    );
    const status = JSON.parse((await reader.call('status', { env: 'mini' })).text) as { environment: string };
    assert.equal(status.environment, 'mini');
  });

  test('says in the words of the command why there is no answer', async () => {
    for (const name of ['history', 'drift_show']) {
      const { text, isError } = await reader.call(name, { env: 'mini' });
      assert.equal(isError, true);
      assert.match(text, /refused, nothing was touched\n.* is not running\. Start it with: /);
    }
    const { text } = await reader.call('explain', { env: 'nowhere', service: 'web' });
    assert.match(text, /nowhere/);
  });

  test('takes names of environments and services, and nothing that could be an option', async () => {
    for (const [name, args] of [
      ['status', { env: '--help' }],
      ['status', { env: '../prod' }],
      ['explain', { env: 'mini', service: '--json' }],
      ['history', { env: 'mini', version: '1 --all' }],
      ['plan', { env: 'mini', only: ['web,--out=x'] }],
      ['plan', { env: 'mini', image: { web: '1 2' } }],
      ['status', {}],
    ] as [string, Record<string, unknown>][]) {
      const { text, isError } = await reader.call(name, args);
      assert.equal(isError, true, text);
      assert.match(text, /Invalid arguments/, JSON.stringify(args));
    }
  });

  test('serves the environments that were named, and no other', async () => {
    assert.match((await changer.call('status', { env: 'staging' })).text, /is not served here: mini, prod only/);
  });

  test('evidence: what there is, one of them, and no file beside', async () => {
    const list = JSON.parse((await reader.call('evidence', { env: 'mini' })).text) as {
      files: { runId: string; name: string }[];
    };
    assert.deepEqual(
      list.files.map(({ runId, name }) => [runId, name]),
      [['run-1', 'web']],
    );
    assert.match((await reader.call('evidence', { env: 'mini', service: 'web' })).text, /^# web: not healthy in time/);
    for (const service of ['../vault-keys', 'vault-keys', 'api', '../../../../etc/passwd'])
      assert.match((await reader.call('evidence', { env: 'mini', service })).text, /There is no evidence of/, service);
  });

  test('deploys only a plan that it has shown, and changes no protected environment', async () => {
    const unknown = await changer.call('deploy', { env: 'mini', digest: 'abcdef0123456789' });
    assert.match(unknown.text, /No plan with the digest abcdef0123456789 was made for "mini" in this session/);
    // A plan of another environment is another plan, even with the same digest.
    const { digest } = JSON.parse((await changer.call('plan', { env: 'mini' })).text) as { digest: string };
    for (const name of CHANGING) {
      const { text, isError } = await changer.call(name, { env: 'prod', digest });
      assert.equal(isError, true);
      assert.match(text, /"prod" is a protected environment: it is changed by a person, not from here/);
    }
  });

  test('answers everything that it was asked before its input ended', async () => {
    const request = (id: number, method: string, params: object): string =>
      `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
    const hello = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '0' } };
    const asked = [
      request(1, 'initialize', hello),
      `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`,
      ...[2, 3].map((id) => request(id, 'tools/call', { name: 'evidence', arguments: { env: 'mini' } })),
      request(4, 'tools/call', { name: 'explain', arguments: { env: 'mini', service: 'web' } }),
    ].join('');
    const child = spawn(process.execPath, [...programArgs, 'mcp'], { env: programEnv(state), stdio: 'pipe' });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.stdin.end(asked);
    const code = await new Promise((resolve) => child.on('close', resolve));
    const ids = said
      .trimEnd()
      .split('\n')
      .map((text) => (JSON.parse(text) as { id: number }).id);
    assert.deepEqual([code, ids.sort()], [0, [1, 2, 3, 4]]);
  });

  test('ends when whoever started it goes away, and leaves nothing', async () => {
    const passing = new Assistant(state, []);
    await passing.client.connect(passing.transport);
    const { pid } = passing.transport;
    assert.ok(pid !== null);
    await passing.client.close();
    await waitUntil('its end', { timeoutMs: 30_000, intervalMs: 50 }, () => {
      try {
        process.kill(pid, 0);
        return Promise.resolve(undefined);
      } catch {
        return Promise.resolve(true);
      }
    });
  });
});
