/** What a deployment stands on dies in the middle of it, from a clean state, through the real CLI. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import type { Facts } from '../support/cluster-facts.ts';
import { assertAsAfterACleanRun, deployUnder, facts, killed, stateIs } from '../support/durability.ts';
import { withSandbox } from '../support/sandbox.ts';

async function waitForFile(path: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!existsSync(path)) {
    if (Date.now() > deadline) throw new Error(`${path} did not appear within ${timeoutMs} ms`);
    await sleep(10);
  }
}

describe('durability of the local stack', { concurrency: 1 }, () => {
  test('API server, etcd and Temporal killed, one after the other', async () => {
    await withSandbox({}, async (sandbox) => {
      const befores: Facts[] = [];
      const result = await deployUnder(sandbox, async (running) => {
        for (const [component, moment] of [
          ['kube-apiserver', 'control-plane-postgres'],
          ['etcd', 'rabbitmq'],
          ['temporal', 'keycloak'],
        ] as const) {
          await running.line(stateIs(moment, 'starting'));
          befores.push(
            await waitUntil('an API server that answers', { timeoutMs: 60_000 }, () =>
              facts(sandbox).catch(() => undefined),
            ),
          );
          await killed(sandbox, component);
        }
      });
      await assertAsAfterACleanRun(sandbox, result, ...befores);
    });
  });

  test('Vault killed while it is being configured, and after it was seeded: unsealed again before the end', async () => {
    await withSandbox({}, async (sandbox) => {
      const befores: Facts[] = [];
      const result = await deployUnder(sandbox, async (running) => {
        await running.line(
          (line) => line.type === 'service' && line['name'] === 'vault' && /Vault/.test(String(line['detail'])),
        );
        // Initialised: before that a killed Vault has no keys and no way on, which the runbook describes.
        await waitForFile(`${sandbox.state}/vault-keys.json`, 20_000);
        await killed(sandbox, 'vault');

        await running.line(stateIs('keycloak', 'starting'));
        befores.push(await facts(sandbox));
        await killed(sandbox, 'vault');
      });
      await assertAsAfterACleanRun(sandbox, result, ...befores);
      const verify = await sandbox.cli(['verify']);
      assert.equal(verify.code, 0, verify.stdout);
    });
  });

  test("the engine's database lost: a new engine adopts what is there", async () => {
    await withSandbox({}, async (sandbox) => {
      const first = await sandbox.deploy();
      assert.equal(first.outcome, 'succeeded');
      const before = await facts(sandbox);
      const down = await sandbox.cli(['down']);
      assert.equal(down.code, 0, down.stderr);
      await rm(`${sandbox.state}/engine`, { recursive: true, force: true });
      const second = await sandbox.deploy();
      assert.notEqual(second.outcome, 'failed');
      const now = await facts(sandbox);
      assert.deepEqual(
        { releases: now.releases, jobs: now.jobs, secrets: now.secrets },
        { releases: before.releases, jobs: before.jobs, secrets: before.secrets },
      );
    });
  });
});
