/**
 * Records the histories that `test/workflows/replay.test.ts` replays: a clean, a failed and a resumed deployment with
 * their phases, then part of the platform, a rollback, a drift repair and a destruction, from real runs on a sandbox.
 * Run it after a change of workflow code that is meant to break replay.
 *
 *   npm run ananta -- --run scripts/record-histories.ts     (node launcher.mjs --run scripts/record-histories.ts)
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import proto from '@temporalio/proto';
import { closeTemporal, connectTemporal } from '../src/clients/temporal/index.ts';
import { readConfig } from '../src/config.ts';
import { ENGINE_NAMESPACE } from '../src/contract/names.ts';
import { readRuntime } from '../src/environment/connections.ts';
import { clusterOf } from '../test/support/sandbox/cluster-facts.ts';
import { createSandbox, MINI, type ResultLine, resultOf, type Sandbox } from '../test/support/sandbox/sandbox.ts';

const config = readConfig();
const folder = join(config.repoRoot, 'test', 'workflows', 'histories');
await mkdir(folder, { recursive: true });

await record('clean', async (sandbox) => sandbox.deploy());
await record('failed', async (sandbox) => {
  // Shorter than this service needs: it fails, its dependents are skipped, the rest goes on.
  await sandbox.configure({ healthTimeoutFactor: 1, simulation: { factor: 0.1, startupSeconds: { auth: 600 } } });
  return sandbox.deploy('--timeout', '25s');
});
await record('resumed', async (sandbox) => {
  await sandbox.cli(['up']);
  const running = sandbox.start(['deploy', '--json']);
  const worker = await sandbox.pidOf('worker');
  await running.line((line) => line.type === 'service' && line['name'] === 'auth' && line['state'] === 'starting');
  process.kill(worker, 'SIGKILL');
  const done = await running.done;
  return done.lines.at(-1) as ResultLine;
});
await record('day-two', async (sandbox) => {
  await sandbox.deploy('--phase', '1');
  await sandbox.deploy();
  await sandbox.deploy('--image', 'web=2.0.0');
  await sandbox.cli(['rollback', '--json']);
  const cluster = await clusterOf(sandbox);
  await cluster.remove('/api/v1/namespaces/apps/services/web');
  cluster.close();
  await sandbox.cli(['drift', 'run', '--repair', '--json']);
  return resultOf(await sandbox.cli(['destroy', '--confirm', sandbox.name, '--json']));
});

/** Every workflow of the run, the deployment first: Temporal's own binary form, in base64, in gzipped JSON. */
async function record(name: string, work: (sandbox: Sandbox) => Promise<ResultLine>): Promise<void> {
  const sandbox = await createSandbox(MINI);
  try {
    const result = await work(sandbox);
    const runtime = await readRuntime({ ...config, stateRoot: dirname(sandbox.state) }, sandbox.name);
    const client = await connectTemporal({ address: runtime?.engine?.address ?? '', namespace: ENGINE_NAMESPACE });
    const histories: { workflowId: string; history: string }[] = [];
    for await (const info of client.workflow.list()) {
      const history = await client.workflow.getHandle(info.workflowId, info.runId).fetchHistory();
      histories.push({
        workflowId: info.workflowId,
        history: Buffer.from(proto.temporal.api.history.v1.History.encode(history).finish()).toString('base64'),
      });
    }
    await closeTemporal(client);
    histories.sort((a, b) => a.workflowId.localeCompare(b.workflowId));
    await writeFile(join(folder, `${name}.json.gz`), gzipSync(JSON.stringify(histories), { level: 9 }));
    console.log(`${name}: ${result.outcome}, ${histories.length} workflows`);
  } finally {
    await sandbox.close();
  }
}
