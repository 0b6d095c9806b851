/**
 * One Temporal for many: three environments with clusters of their own are deployed at the same time, one of them by
 * three workers, of which one is killed at its work. Nobody touches what is another's. Then one's version is promoted
 * to another, and all three are rings, of which the second fails. The engine asks for TLS and API keys wherever it can
 * be built.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Client } from '@temporalio/client';
import { clearFailure, failRelease } from '../../bootstrap/cluster/index.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { closeTemporal, connectTemporal, readBinding } from '../../src/clients/temporal/index.ts';
import { readRings } from '../../src/clients/temporal/rings.ts';
import { ENGINE_NAMESPACE, RELEASE_LABELS, taskQueueOf } from '../../src/contract/names.ts';
import type { RingsView, RingTargetState } from '../../src/contract/operations/rings.ts';
import type { PlatformVersion } from '../../src/contract/version.ts';
import type { Connections } from '../../src/environment/connections.ts';
import { BYSTANDER, bystanderOn } from '../support/sandbox/bystander.ts';
import { startTestEngine } from '../support/engine.ts';
import { askForWork } from '../support/workers/pollers.ts';
import { kubectlOn } from '../support/sandbox/kubectl.ts';
import {
  type CliRun,
  createSandbox,
  failuresOf,
  resultOf,
  type RunningCli,
  type Sandbox,
} from '../support/sandbox/sandbox.ts';
import { startTemporalServer, temporalServerProgram } from '../support/temporal-server.ts';
import { OPENSSL } from '../support/servers/tls.ts';

type Engine = Connections['engine'];
const NAMES = ['east', 'west', 'north'] as const;
/** One has enough to do for three workers. The same names stand in all. */
const wide = (services: number): Record<string, unknown> => ({
  platform: 'wide',
  platformParameters: { services, layers: 2 },
  simulation: { factor: 0.1 },
});
const WORKERS: Record<string, number> = { east: 3 };

async function sharedEngine(): Promise<{ engineFor: (name: string) => Promise<Engine>; close: () => Promise<void> }> {
  const program = OPENSSL === undefined ? undefined : await temporalServerProgram();
  if (program === undefined) {
    const plain = await startTestEngine();
    return {
      engineFor: () => Promise.resolve({ address: plain.address, namespace: ENGINE_NAMESPACE }),
      close: plain.close,
    };
  }
  const folder = await mkdtemp(join(tmpdir(), 'ananta-shared-'));
  const secured = await startTemporalServer(program, folder);
  return {
    engineFor: async (name) => {
      const apiKeyFile = join(folder, `${name}.key`);
      await writeFile(apiKeyFile, secured.key([`${ENGINE_NAMESPACE}:write`]), { mode: 0o600 });
      return {
        address: `${secured.host}:${secured.port}`,
        namespace: ENGINE_NAMESPACE,
        tls: { ca: secured.tls.ca },
        apiKeyFile,
      };
    },
    close: secured.close,
  };
}

/** Workflow ids of an environment's deployment and its phases. */
async function workflowsOf(
  client: Client,
  name: string,
): Promise<{ workflowId: string; runId: string; taskQueue: string }[]> {
  const found: { workflowId: string; runId: string; taskQueue: string }[] = [];
  for await (const { workflowId, runId, taskQueue } of client.workflow.list({
    query: `WorkflowId STARTS_WITH 'deploy/${name}/'`,
  }))
    found.push({ workflowId, runId, taskQueue });
  return found;
}

/** The process of the worker that is carrying out a step. */
async function atWork(client: Client, name: string, pids: readonly number[]): Promise<number | undefined> {
  for (const { workflowId, runId } of await workflowsOf(client, name)) {
    const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
    for (const { lastWorkerIdentity, activityType } of raw.pendingActivities ?? []) {
      const pid = Number(/\/(\d+)(?:#|$)/.exec(lastWorkerIdentity ?? '')?.[1]);
      if (activityType?.name === 'applyRelease' && pids.includes(pid)) return pid;
    }
  }
  return undefined;
}

/** Processes that have carried out steps of an environment's deployment. */
async function processesIn(client: Client, name: string): Promise<Set<number>> {
  const pids = new Set<number>();
  for (const { workflowId, runId, taskQueue } of await workflowsOf(client, name)) {
    assert.equal(taskQueue, taskQueueOf(name));
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    for (const { activityTaskStartedEventAttributes: started } of events ?? [])
      if (started) pids.add(Number(/\/(\d+)(?:#|$)/.exec(started.identity ?? '')?.[1]));
  }
  return pids;
}

async function environmentsIn({ state, folder, catalog }: Sandbox): Promise<string[]> {
  const kubectl = await kubectlOn(join(state, 'cluster', 'kubeconfig'), folder);
  const { items } = JSON.parse(await kubectl(['get', 'secrets', '-A', '-l', 'owner=helm', '-o', 'json'])) as {
    items: { metadata: { namespace: string; labels: Record<string, string> } }[];
  };
  const ours = items.filter(({ metadata }) => metadata.namespace !== BYSTANDER.namespace);
  assert.ok(ours.length >= catalog.services.length);
  return [...new Set(ours.map(({ metadata }) => metadata.labels[RELEASE_LABELS.environment] ?? ''))];
}

/** What a version of one environment holds, to another one: another cluster, the same engine. */
async function promotes(from: Sandbox, to: Sandbox): Promise<void> {
  const service = from.catalog.services.at(-1)?.name ?? '';
  const { version } = await from.deploy('--image', `${service}=2.0.0`);
  const promote = (...more: string[]): Promise<CliRun> =>
    to.command(['promote', '--from', from.name, '--to', to.name, '--json', ...more]);
  const unknown = await promote('--version', '99');
  assert.equal(unknown.code, 3, 'a version that is not kept');
  assert.match(unknown.stderr, /There is no version 99 of "west"/);
  const run = await promote();
  const result = resultOf(run);
  assert.equal(result.outcome, 'succeeded', failuresOf(run));
  assert.deepEqual(
    result.services.filter(({ changed }) => changed).map(({ name }) => name),
    [service],
    'what differs, and nothing else',
  );
  const history = await to.look(['history', String(result.version), '--json']);
  const { promotedFrom, releases } = JSON.parse(history.stdout) as Pick<PlatformVersion, 'promotedFrom' | 'releases'>;
  assert.deepEqual([promotedFrom?.environment, promotedFrom?.version], [from.name, version]);
  assert.match(releases.find(({ name }) => name === service)?.images[0]?.image ?? '', /:2\.0\.0$/);
}

/**
 * Ring by ring: the first one, whose only worker is killed at its work, stays well; the second one fails and is taken
 * back; the third one is left as it is.
 */
async function inRings(
  [first, second, third]: readonly [Sandbox, Sandbox, Sandbox],
  engine: Client,
  replaceWorkerOfFirst: () => void,
): Promise<void> {
  const service = first.catalog.services.at(-1)?.name ?? '';
  await mkdir(join(first.folder, 'rings'), { recursive: true });
  const ring = ({ name }: Sandbox, seconds: number): string =>
    `  - {name: of-${name}, environments: [${name}], soak: {seconds: ${seconds}, looks: 1}}\n`;
  await writeFile(
    join(first.folder, 'rings', 'all.yaml'),
    `description: All\nonFailure: rollback\nrings:\n${ring(first, 2)}${ring(second, 0)}${ring(third, 0)}`,
  );
  // A service that never becomes healthy has a shorter deadline than the others.
  await second.configure({ healthTimeoutFactor: 0.05 });
  await second.simulate((api) => failRelease(api, service, 'crash-loop'));
  const imageIn = async ({ look }: Sandbox): Promise<string | undefined> => {
    const [newest] = JSON.parse((await look(['history', '--json'])).stdout) as PlatformVersion[];
    const { stdout } = await look(['history', String(newest?.version), '--json']);
    const { releases } = JSON.parse(stdout) as Pick<PlatformVersion, 'releases'>;
    return releases.find(({ name }) => name === service)?.images[0]?.image;
  };
  const before = await imageIn(second);
  const deploying = first.command(['rings', 'deploy', 'all', '--image', `${service}=3.0.0`, '--json']);
  let ended = false;
  void deploying.finally(() => {
    ended = true;
  });
  const until = (what: string, ring: number, states: readonly RingTargetState[]): Promise<unknown> =>
    waitUntil(what, { timeoutMs: 180_000, intervalMs: 200 }, async () => {
      const state = ended ? undefined : (await readRings(engine, 'all'))?.rings[ring]?.targets[0]?.state;
      return ended || (state !== undefined && states.includes(state)) ? true : undefined;
    });
  // It keeps count of the rings as well.
  await until('the first ring is deployed', 0, ['deploying', 'deployed']);
  replaceWorkerOfFirst();
  await until('the second ring is taken back', 1, ['taking back', 'taken back', 'not taken back']);
  await second.simulate((api) => clearFailure(api, service));
  const run = await deploying;
  assert.equal(run.code, 1, `${run.stdout.slice(-2000)}${run.stderr.slice(-2000)}`);
  const { type, ...view } = JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '') as RingsView & { type: string };
  assert.deepEqual(
    [type, view.outcome, ...view.rings.map(({ state }) => state)],
    ['result', 'failed', 'passed', 'failed', 'not started'],
  );
  const [passed, failing] = view.rings;
  assert.deepEqual([passed?.looks, passed?.reasons], [1, []], 'drift, health and checks were looked at');
  assert.match(failing?.reasons.join() ?? '', new RegExp(`^${second.name}: .*${service}`));
  assert.equal(failing?.targets[0]?.state, 'taken back', JSON.stringify(failing));
  const live = await kubectlOn(join(second.state, 'cluster', 'kubeconfig'), second.folder);
  const images = await live(['get', 'deployments,statefulsets', '-A', '-o', 'jsonpath={..image}']);
  assert.ok(before !== undefined && images.includes(before) && !images.includes(':3.0.0'), `${before}: ${images}`);
  const status = await first.command(['rings', 'status', 'all', '--json']);
  assert.deepEqual([status.code, JSON.parse(status.stdout)], [1, view]);
  const { stdout } = await first.look(['history', String(passed?.targets[0]?.version), '--json']);
  assert.match(stdout, /:3\.0\.0"/);
  assert.deepEqual(
    view.rings[2]?.targets.map(({ environment, state, workflowId }) => [environment, state, workflowId]),
    [[third.name, 'waiting', undefined]],
  );
  const runs = await first.command(['rings', 'history', 'all', '--json']);
  const [run1] = (JSON.parse(runs.stdout) as { runs: { runId: string; view: RingsView }[] }).runs;
  assert.deepEqual(run1?.view, view);
  const report = await first.command(['rings', 'report', 'all', '--run', run1.runId, '--json']);
  assert.equal((JSON.parse(report.stdout) as RingsView).outcome, 'failed');
}

test('three environments on one engine at the same time, three workers for one of them, one killed', {
  timeout: 600_000,
}, async () => {
  const { engineFor, close } = await sharedEngine();
  const sandboxes: Sandbox[] = [];
  const workers: { name: string; running: RunningCli }[] = [];
  let client: Client | undefined;
  try {
    for (const name of NAMES) {
      const { address, namespace, tls, apiKeyFile } = await engineFor(name);
      const engine = {
        address,
        namespace,
        ...(tls === undefined ? {} : { tls }),
        ...(apiKeyFile === undefined ? {} : { apiKeyFile }),
      };
      sandboxes.push(
        await createSandbox({ ...wide(name === 'east' ? 12 : 4), engine }, { name, beside: sandboxes[0] }),
      );
    }
    client = await connectTemporal(await engineFor('administrator'));
    const engine = client;

    const ups = await Promise.all(sandboxes.map((sandbox) => sandbox.cli(['up'])));
    assert.deepEqual(
      ups.map(({ code }) => code),
      [0, 0, 0],
      ups.map(({ stderr }) => stderr).join('\n'),
    );
    const ports = await Promise.all(
      sandboxes.map(async ({ state }) =>
        Object.values(JSON.parse(await readFile(join(state, 'run', 'ports.json'), 'utf8')) as Record<string, number>),
      ),
    );
    assert.equal(new Set(ports.flat()).size, ports.flat().length, 'no port is of two environments');

    for (const sandbox of sandboxes)
      for (let each = 0; each < (WORKERS[sandbox.name] ?? 1); each += 1)
        workers.push({ name: sandbox.name, running: sandbox.start(['worker']) });
    const pidsOf = (name: string): number[] =>
      workers.filter((worker) => worker.name === name).map(({ running }) => running.pid);
    for (const name of NAMES) await askForWork(engine, name, pidsOf(name));

    const bystanders = await Promise.all(sandboxes.map(bystanderOn));
    const deployments = sandboxes.map((sandbox) => sandbox.begin(['deploy', '--json']));
    await deployments[0]!.line(({ type, state }) => type === 'service' && state === 'healthy');
    const victim = await waitUntil('a worker of east is at work', { timeoutMs: 60_000, intervalMs: 20 }, () =>
      atWork(engine, 'east', pidsOf('east')),
    );
    process.kill(victim, 'SIGKILL');

    const runs = await Promise.all(deployments.map(({ done }) => done));
    for (const [at, run] of runs.entries()) {
      assert.equal(resultOf(run).outcome, 'succeeded', failuresOf(run));
      assert.equal(resultOf(run).services.length, sandboxes[at]!.catalog.services.length);
    }
    const bindings = await Promise.all(NAMES.map((name) => readBinding(engine, name)));
    assert.equal(new Set(bindings.map((binding) => binding?.uid)).size, 3, 'each is bound to a cluster of its own');
    assert.equal(new Set(bindings.map((binding) => binding?.authority)).size, 3, 'and to its authority');
    for (const [at, sandbox] of sandboxes.entries()) {
      assert.deepEqual(await environmentsIn(sandbox), [NAMES[at]], 'every release in a cluster is of its environment');
      // The history names the worker that repeated the killed worker's step.
      const mine = new Set([
        ...(await processesIn(engine, sandbox.name)),
        ...(sandbox.name === 'east' ? [victim] : []),
      ]);
      assert.deepEqual(
        [...mine].sort(),
        pidsOf(sandbox.name).sort(),
        `${sandbox.name} was deployed by its workers, by all of them, and by nobody else's`,
      );
    }
    const again = await sandboxes[0]!.deploy();
    assert.equal(again.outcome, 'unchanged', 'nothing was left half done');
    await promotes(sandboxes[1]!, sandboxes[2]!);
    await inRings([sandboxes[1]!, sandboxes[2]!, sandboxes[0]!], engine, () => {
      workers.find(({ name }) => name === sandboxes[1]!.name)?.running.kill('SIGKILL');
      workers.push({ name: sandboxes[1]!.name, running: sandboxes[1]!.start(['worker']) });
    });
    await Promise.all(bystanders.map((bystander) => bystander.assertUntouched()));
  } finally {
    for (const { running } of workers) running.kill('SIGTERM');
    await Promise.all(workers.map(({ running }) => running.done));
    if (client) await closeTemporal(client);
    // The first one removes the folders of all.
    await Promise.all(sandboxes.slice(1).map((sandbox) => sandbox.close()));
    await sandboxes[0]?.close();
    await close();
  }
});
