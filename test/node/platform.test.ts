// Real, and the Ananta Platform's own: all services as pods of a real node, checked from outside with the systems' own
// clients, broken where only real parts can break, taken down, and brought back on the old data.
import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { layoutOf, pidFileOf } from '../../bootstrap/index.ts';
import { nodeLayout } from '../../bootstrap/node/index.ts';
import { runningDaemon } from '../../bootstrap/process/daemon.ts';
import { loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import { buildImages, RECIPES } from '../images/index.ts';
import { NEXT_TAG, OWN_PREFIX } from '../images/recipes/stand-in.ts';
import { CRASH_LINE } from '../images/standin/fault.ts';
import {
  createSandbox,
  failuresOf,
  type JsonLine,
  type ResultLine,
  resultOf,
  type Sandbox,
} from '../support/sandbox/sandbox.ts';
import { ask, checkDatabases } from './checks/databases.ts';
import { keptData } from './checks/kept-data.ts';
import { checkKeycloak } from './checks/keycloak.ts';
import { checkMessaging } from './checks/messaging.ts';
import { checkMongodb } from './checks/mongodb.ts';
import { checkNodePorts } from './checks/node-ports.ts';
import { checkObjectStorage } from './checks/object-storage.ts';
import { checkStandIns } from './checks/stand-ins.ts';
import { checkTemporal } from './checks/temporal.ts';
import { checkTrace, otlpEndpoint } from './checks/trace.ts';
import { checkVault } from './checks/vault.ts';
import { watchMemory } from './support/memory.ts';
import { eventually, type Platform, platformOf } from './support/platform.ts';

/** What pods, control plane, engine and worker may take together. */
const MOST_BYTES = 8 * 1024 ** 3;
const AT_LEAST = 40;
/** Between two steps the engine hands on what has ended; more is something that has no span. */
const MOST_UNCOVERED = 0.1;
/** Of the platform's own: their images exist with one tag more. */
const UPGRADED = ['customer-portal', 'subscription-service', 'webhook-bridge'];
/** A migration that takes long enough for its database to die under it. */
const SLOW_MIGRATION = `CREATE TABLE main.slow_before (id integer PRIMARY KEY);
INSERT INTO main.slow_before SELECT generate_series(1, 100);
SELECT pg_sleep(12);
CREATE TABLE main.slow_after AS SELECT id FROM main.slow_before;
`;

const environment = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  cluster: { embedded: { nodes: 1, realNode: { services: 'all' } } },
  images: { prefix: OWN_PREFIX },
  drift: { mode: 'off' },
  ...more,
});
const catalog = loadCatalog();
const say = (text: string): void => {
  console.log(`# ${text}`);
};
const stateIs =
  (name: string, state: string) =>
  (line: JsonLine): boolean =>
    line.type === 'service' && line['name'] === name && line['state'] === state;
const changedBy = (result: ResultLine): string[] =>
  result.services
    .filter(({ changed }) => changed)
    .map(({ name }) => name)
    .sort();

describe('the platform on a real node', { concurrency: 1 }, () => {
  let sandbox: Sandbox;
  let platform: Platform;
  const group = (): string =>
    nodeLayout(layoutOf({ ...readConfig(), stateRoot: join(sandbox.folder, 'state') }, sandbox.name)).cgroup;

  before(async () => {
    const images = await buildImages(readConfig(), RECIPES, say);
    sandbox = await createSandbox(environment(), { ownCheckout: true });
    const up = await sandbox.cli(['up']);
    assert.equal(up.code, 0, up.stderr);
    const started = performance.now();
    const imported = await sandbox.cli(['node', 'import', images.archive]);
    assert.equal(imported.code, 0, imported.stderr);
    say(`${images.images.length} images imported in ${seconds(started)} s`);
    platform = await platformOf(sandbox);
  });
  after(async () => {
    await sandbox?.close();
  });

  async function deployed(...args: string[]): Promise<ResultLine> {
    const run = await sandbox.cli(['deploy', '--json', ...args]);
    const result = resultOf(run);
    assert.notEqual(result.outcome, 'failed', failuresOf(run));
    assert.equal(run.code, 0, failuresOf(run));
    return result;
  }

  test('deployed, all but a few of its services as real pods, within 8 GiB', async () => {
    const memory = watchMemory(group());
    const result = await deployed();
    assert.equal(result.services.length, catalog.services.length);
    const most = memory.stop();
    const pods = await platform.pods();
    const real = catalog.services.filter(({ name }) =>
      pods.some((pod) => pod.release === name && (pod.ready || pod.phase === 'Succeeded')),
    );
    const rest = await residentOf(sandbox);
    say(
      `first deployment ${result.seconds} s, ${real.length} services as real pods; at most ${mebibytes(most)} in pods, ${mebibytes(rest)} in everything else`,
    );
    assert.ok(real.length >= AT_LEAST, `only ${real.length}: ${real.map(({ name }) => name).join(', ')}`);
    assert.ok(most > 0 && most + rest < MOST_BYTES, `${mebibytes(most)} in pods and ${mebibytes(rest)} in the rest`);
    assert.deepEqual(
      pods.filter(({ restarts }) => restarts > 0).map(({ release, restarts }) => `${release} ${restarts}`),
      [],
      'nothing had to be started twice: the order is right',
    );
  });

  test('checked from outside: databases', () => checkDatabases(platform));
  test('checked from outside: object storage', () => checkObjectStorage(platform));
  test('checked from outside: broker and caches', () => checkMessaging(platform));
  test('checked from outside: MongoDB', () => checkMongodb(platform));
  test("checked from outside: Vault's policies", () => checkVault(platform));
  test('checked from outside: realm, clients and a token', () => checkKeycloak(platform));
  test('checked from outside: Temporal', () => checkTemporal(platform));
  test('checked from outside: NodePorts', () => checkNodePorts(platform));
  test('every stand-in reached all that it is pointed at', async () => {
    const asked = await checkStandIns(platform);
    assert.ok(asked >= 25, `only ${asked} stand-ins answered`);
  });
  test('verify agrees, and nothing is drift', async () => {
    const verify = await sandbox.cli(['verify', '--json']);
    assert.equal(verify.code, 0, verify.stdout);
    // The stand-in of Argo CD's controller makes no Applications, and drift says just that.
    const drift = await sandbox.cli(['drift', '--json']);
    const { findings } = z
      .object({ findings: z.array(z.object({ kind: z.string(), object: z.string() })) })
      .parse(JSON.parse(drift.stdout));
    assert.deepEqual(
      findings.filter(({ kind, object }) => !(kind === 'missing' && object.startsWith('Application argocd/'))),
      [],
    );
  });

  test("every release upgraded without a restart: the trace of that is whole in the platform's own Jaeger", async () => {
    const before = await lasting(platform);
    // Of every chart, and of none of its objects: Jobs alone are named after it, and run again.
    await appendFile(join(sandbox.checkout, 'helm', 'charts', 'ananta-lib', 'Chart.yaml'), '# To be told apart.\n');
    await sandbox.configure(environment({ telemetry: { traces: { endpoint: await otlpEndpoint(platform) } } }));
    const result = await deployed();
    assert.equal(changedBy(result).length, catalog.services.length);
    const asked = performance.now();
    const trace = await checkTrace(
      platform,
      catalog.services.map(({ name }) => name),
    );
    say(
      `upgrade of all services ${result.seconds} s; its trace has ${trace.spans} spans over ${trace.seconds} s, ${trace.gapSeconds} s of them without one, ${trace.longestGapSeconds} s at most in one piece; read back in ${seconds(asked)} s`,
    );
    assert.ok(trace.gapSeconds < trace.seconds * MOST_UNCOVERED, `${trace.gapSeconds} s without a span`);
    assert.deepEqual(await lasting(platform), before, 'no pod was replaced');
  });

  test('another tag and another number of replicas for three services: only those change', async () => {
    const untouched = new Map(
      (await platform.pods())
        .filter(({ release }) => !UPGRADED.includes(release))
        .map(({ uid, name, restarts }) => [uid, `${name} ${restarts}`]),
    );
    await sandbox.configure(
      environment({
        images: { prefix: OWN_PREFIX, tags: Object.fromEntries(UPGRADED.map((name) => [name, NEXT_TAG])) },
        replicas: { services: Object.fromEntries(UPGRADED.map((name) => [name, 2])) },
      }),
    );
    const result = await deployed();
    // Argo CD's picture of the platform shows them, too; it has no pods.
    assert.deepEqual(changedBy(result), ['argocd', ...UPGRADED]);
    const pods = await platform.pods();
    for (const name of UPGRADED)
      assert.equal(pods.filter(({ release, ready }) => release === name && ready).length, 2, name);
    assert.deepEqual(
      pods
        .filter(({ release }) => !UPGRADED.includes(release))
        .map(({ uid, name, restarts }) => [uid, `${name} ${restarts}`])
        .sort(),
      [...untouched].sort(),
    );
    say(`upgrade of three services ${result.seconds} s`);
  });

  test('an image that cannot be pulled, a crash, too much memory: each is named, with the last lines of its log', async () => {
    const bad = { dashboard: 'no-such-tag', 'cns-dashboard': 'crash', 'audit-logger': 'memory' };
    await sandbox.configure(environment({ healthTimeoutFactor: 0.15 }));
    const run = await sandbox.cli([
      'deploy',
      '--json',
      '--only',
      Object.keys(bad).join(','),
      ...Object.entries(bad).flatMap(([name, tag]) => ['--image', `${name}=${tag}`]),
    ]);
    // Before anything is looked at: the tests that follow want the usual timeouts, whatever is found.
    await sandbox.configure(environment());
    assert.equal(run.code, 1, run.stderr);
    const failures = Object.fromEntries(
      run.lines
        .filter(({ type, state }) => type === 'service' && state === 'failed')
        .map((line) => [line['name'], JSON.stringify(line['failure'])]),
    );
    assert.deepEqual(Object.keys(failures).sort(), Object.keys(bad).sort(), failuresOf(run));
    assert.match(
      failures['dashboard'] ?? '',
      /pod dashboard-\S+, container \S+: (ErrImagePull|ImagePullBackOff)[^]*no-such-tag/,
    );
    assert.match(
      failures['cns-dashboard'] ?? '',
      new RegExp(
        `pod cns-dashboard-\\S+, container \\S+: (CrashLoopBackOff|Error) [^]*exit(?: code)? 1\\b[^]*${CRASH_LINE}`,
      ),
    );
    assert.match(
      failures['audit-logger'] ?? '',
      /pod audit-logger-\S+, container \S+: (CrashLoopBackOff|OOMKilled) [^]*exit(?: code)? 137/,
    );
    assert.deepEqual(
      changedBy(await deployed()),
      ['argocd', ...Object.keys(bad), ...UPGRADED].sort(),
      'what was broken is mended, what was raised goes back',
    );
  });

  test('taken down and brought back, while a database dies in a migration, Vault restarts and kubelet stops for a minute: same data, same passwords', async () => {
    const kept = keptData(platform);
    await kept.write();
    const secrets = await passwords(platform);
    const destroyed = await sandbox.cli(['destroy', '--json', '--confirm', sandbox.name]);
    assert.equal(destroyed.code, 0, `${destroyed.stdout.slice(-2000)}${destroyed.stderr}`);
    assert.deepEqual(
      (await platform.pods()).map(({ name }) => name),
      [],
    );

    await writeFile(
      join(sandbox.checkout, 'helm', 'migrations', 'control-plane-migrations', 'V4__slow.sql'),
      SLOW_MIGRATION,
    );
    const running = sandbox.start(['deploy', '--json']);
    await running.line(stateIs('control-plane-migrations', 'starting'));
    await databaseDiesInMigration(platform);
    await running.line(stateIs('control-plane-migrations', 'completed'));
    const vault = await platform.pod('vault');
    await platform.kubectl(['delete', 'pod', '--namespace', vault.namespace, vault.name, '--wait=false']);
    await eventually('Vault has another pod', async () =>
      (await platform.pods()).some(
        ({ release, uid, phase }) => release === 'vault' && uid !== vault.uid && phase === 'Running',
      )
        ? true
        : undefined,
    );
    await kubeletStopped(60_000);
    const run = await running.done;
    const result = resultOf(run);
    assert.equal(result.outcome, 'succeeded', failuresOf(run));
    say(`second deployment, with three faults: ${result.seconds} s`);
    assert.doesNotMatch(
      await readFile(join(sandbox.state, 'logs', 'worker.log'), 'utf8'),
      /Unhandled/,
      'no fault of others ends the worker',
    );

    assert.deepEqual(await passwords(platform), secrets);
    await kept.check();
    await checkDatabases(platform, { arc_saas: ['4'] });
    await checkVault(platform);
    await checkObjectStorage(platform);
    await checkKeycloak(platform);
    await checkTemporal(platform);
    await checkStandIns(platform);
    assert.equal(await kept.rowsOf('slow_before'), '100', 'the migration ran as a whole, once');
    assert.equal(await kept.rowsOf('slow_after'), '100');
    const again = await deployed();
    assert.equal(again.outcome, 'unchanged');
  });

  /** kubelet's process is stopped and not ended, so that nothing restarts it. */
  async function kubeletStopped(milliseconds: number): Promise<void> {
    const layout = layoutOf({ ...readConfig(), stateRoot: join(sandbox.folder, 'state') }, sandbox.name);
    const kubelet = await runningDaemon(pidFileOf(layout, 'kubelet'));
    assert.ok(kubelet);
    process.kill(kubelet.pid, 'SIGSTOP');
    try {
      await sleep(milliseconds);
    } finally {
      process.kill(kubelet.pid, 'SIGCONT');
    }
  }
});

/** Pods that are there to stay, each with its restarts. */
async function lasting(platform: Platform): Promise<string[]> {
  return (await platform.pods())
    .filter(({ phase }) => phase === 'Running')
    .map(({ uid, name, restarts }) => `${name} ${uid} ${restarts}`)
    .sort();
}

async function databaseDiesInMigration(platform: Platform): Promise<void> {
  const server = await platform.pod('control-plane-postgres');
  const { password = '' } = await platform.secret('database-system', 'database/postgres');
  const asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
  await eventually('the migration is at work', async () =>
    (await ask(platform, 'control-plane-postgres', { database: 'arc_saas', user: 'arc_saas', password }, asleep)) ===
    '1'
      ? true
      : undefined,
  );
  await platform.kubectl([
    'delete',
    'pod',
    '--namespace',
    server.namespace,
    server.name,
    '--grace-period=0',
    '--force',
    '--wait=false',
  ]);
}

/** Of every Secret that the deployer made, as pods see them. */
async function passwords(platform: Platform): Promise<Record<string, Record<string, string>>> {
  const uses = new Map(
    catalog.services.flatMap(({ namespace, secrets }) =>
      secrets
        .filter(({ delivery }) => delivery !== 'login')
        .map(({ path }) => [`${namespace} ${path}`, { namespace, path }]),
    ),
  );
  return Object.fromEntries(
    await Promise.all(
      [...uses].map(async ([key, { namespace, path }]) => [key, await platform.secret(namespace, path)] as const),
    ),
  );
}

/** Bytes of the control plane, the engine, the worker and the node's own programs. */
async function residentOf(sandbox: Sandbox): Promise<number> {
  const sizes = await Promise.all(
    (await sandbox.components()).map(async ({ pid }) => {
      const status = typeof pid === 'number' ? await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '') : '';
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
