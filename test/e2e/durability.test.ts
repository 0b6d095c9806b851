/**
 * Every fault in a deployment of its own, from a clean state, through the real CLI. After each: all services healthy,
 * one revision per release, every Job run once, secrets as they were, nothing left over, and the next run does nothing.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterOf, type Facts, factsOf } from '../support/cluster-facts.ts';
import { helmProcesses, waitForProcess } from '../support/processes.ts';
import { failuresOf, type JsonLine, resultOf, type ResultLine, type RunningCli, type Sandbox, withSandbox } from '../support/sandbox.ts';

const stateIs = (name: string, ...states: string[]) => (line: JsonLine): boolean => line.type === 'service' && line['name'] === name && states.includes(String(line['state']));

/** Brings the ground up first, so that the fault hits the deployment and not the set-up. */
async function deployUnder(sandbox: Sandbox, fault: (running: RunningCli) => Promise<void>): Promise<ResultLine> {
  const up = await sandbox.cli(['up']);
  assert.equal(up.code, 0, up.stderr);
  const running = sandbox.start(['deploy', '--json']);
  await fault(running);
  const run = await running.done;
  const result = resultOf(run);
  if (result.outcome !== 'succeeded') console.error(failuresOf(run));
  return result;
}

async function assertAsAfterACleanRun(sandbox: Sandbox, result: ResultLine, before?: Facts): Promise<void> {
  assert.equal(result.outcome, 'succeeded', JSON.stringify(result.services.filter((service) => !['healthy', 'completed'].includes(service.state))));
  assert.equal(result.services.length, 48);
  const cluster = await clusterOf(sandbox);
  try {
    const facts = await factsOf(cluster);
    for (const [release, revisions] of Object.entries(facts.releases)) assert.deepEqual(revisions, ['1:deployed'], `${release} was upgraded for nothing`);
    for (const [job, { pods, succeeded }] of Object.entries(facts.jobs)) assert.deepEqual({ pods, succeeded }, { pods: 1, succeeded: 1 }, `${job} did not run once`);
    for (const [secret, digest] of Object.entries(before?.secrets ?? {})) assert.equal(facts.secrets[secret], digest, `${secret} was changed`);
    for (const [workload, uid] of Object.entries(before?.workloads ?? {})) assert.equal(facts.workloads[workload], uid, `${workload} was made anew`);
    for (const [job, { uid }] of Object.entries(before?.jobs ?? {})) assert.equal(facts.jobs[job]?.uid, uid, `${job} was made anew`);
    assert.deepEqual(await helmProcesses(sandbox.state), []);
    const again = await sandbox.deploy();
    assert.equal(again.outcome, 'unchanged', JSON.stringify(again.services.filter((service) => service.state !== 'unchanged')));
    assert.deepEqual(await factsOf(cluster), facts);
  } finally {
    cluster.close();
  }
}

async function facts(sandbox: Sandbox): Promise<Facts> {
  const cluster = await clusterOf(sandbox);
  try {
    return await factsOf(cluster);
  } finally {
    cluster.close();
  }
}

async function waitForFile(path: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!existsSync(path)) {
    if (Date.now() > deadline) throw new Error(`${path} did not appear within ${timeoutMs} ms`);
    await sleep(10);
  }
}

async function kill(sandbox: Sandbox, component: string): Promise<void> {
  process.kill(await sandbox.pidOf(component), 'SIGKILL');
}

describe('durability', { concurrency: 1 }, () => {
  test('worker killed while Helm runs', async () => {
    await withSandbox({}, async (sandbox) => {
      let before: Facts | undefined;
      const result = await deployUnder(sandbox, async (running) => {
        const worker = await sandbox.pidOf('worker');
        await running.line(stateIs('control-plane-postgres', 'applying'));
        await waitForProcess(() => helmProcesses(sandbox.state), 20_000);
        process.kill(worker, 'SIGKILL');
        before = await facts(sandbox);
      });
      await assertAsAfterACleanRun(sandbox, result, before);
    });
  });

  test('worker killed between activities', async () => {
    await withSandbox({}, async (sandbox) => {
      let before: Facts | undefined;
      const result = await deployUnder(sandbox, async (running) => {
        const worker = await sandbox.pidOf('worker');
        await running.line(stateIs('temporal-postgresql', 'healthy'));
        process.kill(worker, 'SIGKILL');
        before = await facts(sandbox);
      });
      await assertAsAfterACleanRun(sandbox, result, before);
    });
  });

  test('worker killed during a wait', async () => {
    await withSandbox({}, async (sandbox) => {
      let before: Facts | undefined;
      const result = await deployUnder(sandbox, async (running) => {
        const worker = await sandbox.pidOf('worker');
        await running.line(stateIs('keycloak', 'starting'));
        await sleep(700);
        process.kill(worker, 'SIGKILL');
        before = await facts(sandbox);
      });
      await assertAsAfterACleanRun(sandbox, result, before);
    });
  });

  test('Helm killed in the middle of a first install', async () => {
    await withSandbox({}, async (sandbox) => {
      let before: Facts | undefined;
      const result = await deployUnder(sandbox, async (running) => {
        await running.line(stateIs('vault', 'healthy'));
        const helm = await waitForProcess(() => helmProcesses(sandbox.state), 20_000);
        // Far enough for its pending record, not far enough for its end.
        await sleep(60);
        process.kill(helm.pid, 'SIGKILL');
        before = await facts(sandbox);
      });
      await assertAsAfterACleanRun(sandbox, result, before);
    });
  });

  test('CLI killed: the deployment goes on, attach shows it to its end', async () => {
    await withSandbox({}, async (sandbox) => {
      const up = await sandbox.cli(['up']);
      assert.equal(up.code, 0, up.stderr);
      const running = sandbox.start(['deploy', '--json']);
      await running.line(stateIs('vault', 'healthy'));
      running.kill('SIGKILL');
      await running.done;
      const attached = await sandbox.cli(['attach', '--json']);
      assert.equal(attached.code, 0, attached.stderr);
      await assertAsAfterACleanRun(sandbox, resultOf(attached));
    });
  });

  for (const [component, moment] of [['temporal', 'keycloak'], ['kube-apiserver', 'control-plane-postgres'], ['etcd', 'rabbitmq']] as const) {
    test(`${component} killed`, async () => {
      await withSandbox({}, async (sandbox) => {
        let before: Facts | undefined;
        const result = await deployUnder(sandbox, async (running) => {
          const pid = await sandbox.pidOf(component);
          await running.line(stateIs(moment, 'starting'));
          before = await facts(sandbox);
          process.kill(pid, 'SIGKILL');
        });
        await assertAsAfterACleanRun(sandbox, result, before);
      });
    });
  }

  test('Vault killed while it is being configured', async () => {
    await withSandbox({}, async (sandbox) => {
      const result = await deployUnder(sandbox, async (running) => {
        const pid = await sandbox.pidOf('vault');
        await running.line((line) => line.type === 'service' && line['name'] === 'vault' && /Vault/.test(String(line['detail'])));
        // Initialised: before that a killed Vault has no keys and no way on, which the runbook describes.
        await waitForFile(`${sandbox.state}/vault-keys.json`, 20_000);
        process.kill(pid, 'SIGKILL');
      });
      await assertAsAfterACleanRun(sandbox, result);
    });
  });

  test('Vault killed after it was seeded: unsealed again before the end', async () => {
    await withSandbox({}, async (sandbox) => {
      let before: Facts | undefined;
      const result = await deployUnder(sandbox, async (running) => {
        await running.line(stateIs('keycloak', 'starting'));
        before = await facts(sandbox);
        await kill(sandbox, 'vault');
      });
      await assertAsAfterACleanRun(sandbox, result, before);
      const verify = await sandbox.cli(['verify']);
      assert.equal(verify.code, 0, verify.stdout);
    });
  });

  test('worker asked to stop ends its Helm in good order, and the next worker goes on', async () => {
    await withSandbox({}, async (sandbox) => {
      const result = await deployUnder(sandbox, async (running) => {
        const worker = await sandbox.pidOf('worker');
        await running.line(stateIs('control-plane-postgres', 'applying'));
        process.kill(worker, 'SIGTERM');
      });
      assert.equal(result.outcome, 'succeeded');
      const now = await facts(sandbox);
      for (const [release, revisions] of Object.entries(now.releases)) assert.match(revisions.at(-1) ?? '', /:deployed$/, release);
    });
  });

  test("the engine's database lost: a new engine adopts what is there", async () => {
    await withSandbox({}, async (sandbox) => {
      const first = await sandbox.deploy();
      assert.equal(first.outcome, 'succeeded');
      const before = await facts(sandbox);
      const down = await sandbox.cli(['down']);
      assert.equal(down.code, 0, down.stderr);
      const { rm } = await import('node:fs/promises');
      await rm(`${sandbox.state}/engine`, { recursive: true, force: true });
      const second = await sandbox.deploy();
      assert.notEqual(second.outcome, 'failed');
      const now = await facts(sandbox);
      assert.deepEqual({ releases: now.releases, jobs: now.jobs, secrets: now.secrets }, { releases: before.releases, jobs: before.jobs, secrets: before.secrets });
    });
  });
});
