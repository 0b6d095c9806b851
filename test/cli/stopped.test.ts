/** An environment that `down` stops while a command watches it, and what `down` says of operations that run there. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Client } from '@temporalio/client';
import { layoutOf, pidFileOf, runningOperations } from '../../bootstrap/index.ts';
import { ownIdentity } from '../../bootstrap/process/identity.ts';
import { watchToEnd } from '../../src/cli/deploy/watch.ts';
import { describeRunning } from '../../src/cli/local/up-down.ts';
import { CliError } from '../../src/cli/shared/failure.ts';
import { plainStyle } from '../../src/cli/shared/terminal.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { runtimeFile } from '../../src/environment/connections.ts';
import { miniEnvironment } from '../support/mini.ts';

const RUN = { workflowId: 'deploy/sandbox/1a2b3c4d', runId: 'run-1' };

let folder = '';
before(async () => (folder = await mkdtemp(join(tmpdir(), 'ananta-stopped-'))));
after(() => rm(folder, { recursive: true }));
const configOf = async (): Promise<Config> => ({
  ...readConfig({}),
  stateRoot: await mkdtemp(join(folder, 'state-')),
});

/** An engine that does not answer any more, as gRPC says it. */
function silentEngine(): Client {
  const unavailable = Object.assign(new Error('14 UNAVAILABLE'), {
    code: 14,
    details: 'connect ECONNREFUSED',
    metadata: {},
  });
  const connection = {
    withDeadline: (_deadline: number, call: () => unknown) => call(),
    withAbortSignal: (_signal: AbortSignal, call: () => unknown) => call(),
    close: () => Promise.resolve(),
  };
  return {
    connection,
    options: { namespace: 'ananta' },
    workflowService: { getWorkflowExecutionHistory: () => Promise.reject(unavailable) },
  } as unknown as Client;
}

/** A command that watches while `whatDownDoes` happens to the state folder. */
async function watched(whatDownDoes: (state: string) => Promise<void>): Promise<{ end: unknown; said: string }> {
  const config = await configOf();
  const environment = await miniEnvironment();
  const runtime = runtimeFile(config, environment.name);
  await mkdir(join(dirname(runtime), 'engine'), { recursive: true });
  const engine = { address: '127.0.0.1:9', uiAddress: 'http://127.0.0.1:9' };
  const cluster = { kubeconfig: join(folder, 'kubeconfig'), server: 'https://127.0.0.1:9' };
  await writeFile(runtime, JSON.stringify({ engine, cluster, tools: {} }));
  let said = '';
  const output = { write: (text: string) => (said += text) !== '' };
  const terminal = {
    stdout: output,
    stderr: output,
    live: false,
    interactive: false,
    style: plainStyle,
    errorStyle: plainStyle,
  };
  const context = {
    config,
    terminal,
    version: '0',
    finish: () => undefined,
    outputLost: 0,
    run: () => Promise.resolve(0 as const),
  } as const;
  const renderer = {
    setup: () => undefined,
    started: () => undefined,
    event: () => undefined,
    close: () => undefined,
    // The command prints this as soon as the engine does not answer: this is when `down` goes on.
    notice: (text: string) => {
      said += `${text}\n`;
      void whatDownDoes(dirname(runtime));
    },
  };
  const session = {
    context: { ...context },
    environment,
    json: false,
    renderer,
    interrupted: new AbortController().signal,
  };
  const end = await watchToEnd(session, silentEngine(), RUN).catch((error: unknown) => error);
  return { end, said };
}

describe('a watched environment that goes', { concurrency: true }, () => {
  test('stopped: the command ends, says what becomes of the operation and how it goes on', async () => {
    const { end, said } = await watched((state) => rm(join(state, 'runtime.json'), { force: true }));
    assert.equal(end, 4);
    assert.match(said, /Detached \(the environment was stopped \(down\)\): what ran on sandbox stands still until/);
    assert.match(said, /npm run ananta -- up --env sandbox/);
  });

  test('deleted: the command fails, the operation is gone with it', async () => {
    const { end } = await watched((state) => rm(state, { recursive: true, force: true }));
    assert.ok(end instanceof CliError, String(end));
    assert.equal(end.exitCode, 1);
    assert.match(end.message, /"sandbox" was deleted while this command watched .*deploy\/sandbox\/1a2b3c4d/);
  });
});

describe('down', () => {
  test('names the operation that runs, not phases, and not what other environments run', async () => {
    const config = await configOf();
    const layout = layoutOf(config, 'sandbox');
    assert.deepEqual(await runningOperations(config, 'sandbox'), [], 'without an engine');
    const asked: string[] = [];
    const engine = createServer((request, response) => {
      asked.push(decodeURIComponent(request.url ?? ''));
      const executions = [RUN.workflowId, `${RUN.workflowId}/run-1/phase-2`, 'drift/sandbox/1a2b3c4d'];
      response.end(JSON.stringify({ executions: executions.map((workflowId) => ({ execution: { workflowId } })) }));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => engine.once('listening', resolve));
    try {
      const pidFile = pidFileOf(layout, 'temporal');
      const record = { name: 'temporal', version: '1', port: null, digest: 'd', startedAt: new Date().toISOString() };
      await mkdir(dirname(pidFile), { recursive: true });
      await mkdir(dirname(layout.ports), { recursive: true });
      await writeFile(pidFile, JSON.stringify({ ...record, ...(await ownIdentity()) }));
      await writeFile(layout.ports, JSON.stringify({ 'temporal-http': (engine.address() as AddressInfo).port }));
      assert.deepEqual(await runningOperations(config, 'sandbox'), [RUN.workflowId]);
      assert.match(asked.join(), /ExecutionStatus = 'Running' AND TaskQueue = '[^']*sandbox'/);
    } finally {
      engine.close();
    }
  });

  test('says what becomes of it', () => {
    assert.match(
      describeRunning(RUN.workflowId, 'sandbox', false),
      /running on "sandbox" \(deploy\/sandbox\/1a2b3c4d\): it stands still .* goes on after the next ".*up --env sandbox"/,
    );
    assert.match(describeRunning(RUN.workflowId, 'sandbox', true), /it ends here, and is deleted/);
  });
});
