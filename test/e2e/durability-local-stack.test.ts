/** A component of the local stack dies during a deployment, and after it; one sandbox, from a clean state on. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clearFailure, failRelease } from '../../bootstrap/cluster/index.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { clearEtcd, fillEtcd } from '../support/faults/etcd-alarm.ts';
import { paths } from '../../src/clients/kubernetes/index.ts';
import { RECORDS_NAMESPACE } from '../../src/contract/names.ts';
import { makeKeyPair } from '../../src/effects/backup/age.ts';
import { clusterOf, type Facts } from '../support/sandbox/cluster-facts.ts';
import { assertAsAfterACleanRun, deployUnder, facts, killed, stateIs } from '../support/sandbox/durability.ts';
import { MINI, withSandbox } from '../support/sandbox/sandbox.ts';

/** Slow enough that the deployment still runs when a component is killed. */
const SLOW = { ...MINI, simulation: { factor: 0.1, startupSeconds: { database: 60, storage: 60, auth: 100 } } };

async function waitForFile(path: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!existsSync(path)) {
    if (Date.now() > deadline) throw new Error(`${path} did not appear within ${timeoutMs} ms`);
    await sleep(10);
  }
}

describe('durability of the local stack', { concurrency: 1 }, () => {
  test("Vault, API server, etcd and Temporal killed in a deployment, etcd full; afterwards a power cut, and the engine's database, Vault and the records lost", async (t) => {
    await withSandbox(SLOW, async (sandbox) => {
      await t.test(
        'Vault while it is configured and after it was seeded, etcd without space, API server, etcd, Temporal: as after a clean run, Vault unsealed',
        async () => {
          const befores: Facts[] = [];
          const result = await deployUnder(sandbox, async (running) => {
            await running.line(
              (line) => line.type === 'service' && line['name'] === 'vault' && /Vault/.test(String(line['detail'])),
            );
            // Initialised: before that a killed Vault has no keys and no way on, which the runbook describes.
            await waitForFile(`${sandbox.state}/vault-keys.json`, 20_000);
            await killed(sandbox, 'vault');
            // The deployment waits for this service until the last component was killed, however busy the machine is.
            await sandbox.simulate((api) => failRelease(api, 'web', 'never-ready'));

            // etcd's space is used up, and its operator has to free some: the deployment says so, waits, and goes on by
            // itself.
            await running.line(stateIs('vault', 'healthy'));
            const { port = 0 } = (await sandbox.components()).find(({ name }) => name === 'etcd') ?? {};
            await fillEtcd(port ?? 0);
            await running.line(
              ({ type, message }) => type === 'retry' && /database space exceeded/.test(String(message)),
            );
            await clearEtcd(port ?? 0);

            for (const [component, moment] of [
              ['kube-apiserver', 'database'],
              ['etcd', 'storage'],
              ['temporal', 'auth'],
              ['vault', 'auth'],
            ] as const) {
              await running.line(stateIs(moment, 'starting'));
              befores.push(
                await waitUntil('an API server that answers', { timeoutMs: 60_000 }, () =>
                  facts(sandbox).catch(() => undefined),
                ),
              );
              await killed(sandbox, component);
            }
            await sandbox.simulate((api) => clearFailure(api, 'web'));
          });
          await assertAsAfterACleanRun(sandbox, result, ...befores);
          const verify = await sandbox.look(['verify']);
          assert.equal(verify.code, 0, verify.stdout);
        },
      );

      await t.test(
        "a power cut, and the engine's database lost: all comes back on the old data, a new engine adopts what is there",
        async () => {
          const before = await facts(sandbox);
          for (const { pid } of await sandbox.components()) if (typeof pid === 'number') process.kill(pid, 'SIGKILL');
          await rm(`${sandbox.state}/engine`, { recursive: true, force: true });
          const second = await sandbox.deploy();
          assert.notEqual(second.outcome, 'failed');
          const now = await facts(sandbox);
          assert.deepEqual(
            { releases: now.releases, jobs: now.jobs, secrets: now.secrets },
            { releases: before.releases, jobs: before.jobs, secrets: before.secrets },
          );
        },
      );

      await t.test(
        'Vault with its volume and the namespace of the records lost: all of it comes back from a backup, and nothing else is touched',
        async () => {
          const before = await facts(sandbox);
          const history = await sandbox.look(['history', '--json']);
          const { identity, recipient } = await makeKeyPair();
          const [key, file] = [join(sandbox.folder, 'backup-key.txt'), join(sandbox.folder, 'backup.tar.age')];
          await writeFile(key, `${identity}\n`, { mode: 0o600 });
          const made = await sandbox.look(['backup', '--to', file, '--recipient', recipient, '--json']);
          assert.equal(made.code, 0, made.stderr);
          const whole = await sandbox.command(['backup', 'verify', file, '--identity', key]);
          assert.equal(whole.code, 0, whole.stderr);

          const cluster = await clusterOf(sandbox);
          try {
            await cluster.remove(`${paths.persistentVolumeClaims('vault-system')}/data-vault-0`);
            await cluster.remove(`${paths.pods('vault-system')}/vault-0`);
            await cluster.remove(paths.namespace(RECORDS_NAMESPACE));
            await waitUntil('the namespace is gone', { timeoutMs: 120_000 }, async () =>
              (await cluster.get(paths.namespace(RECORDS_NAMESPACE))) === undefined ? true : undefined,
            );
          } finally {
            cluster.close();
          }
          await waitUntil('an empty Vault', { timeoutMs: 120_000 }, async () =>
            /not initialised/.test((await sandbox.look(['vault', 'status'])).stdout) ? true : undefined,
          );
          const restore = ['restore', file, '--identity', key, '--confirm', sandbox.name];
          const restored = await sandbox.look(restore);
          assert.equal(restored.code, 0, `${restored.stdout}\n${restored.stderr}`);
          const again = await sandbox.look([...restore, '--json']);
          assert.equal((JSON.parse(again.stdout) as { changed: boolean }).changed, false);
          assert.equal((await sandbox.look(['history', '--json'])).stdout, history.stdout);
          const after = await sandbox.deploy();
          assert.equal(after.outcome, 'unchanged', JSON.stringify(after.services));
          const now = await facts(sandbox);
          assert.deepEqual(
            { releases: now.releases, jobs: now.jobs, secrets: now.secrets },
            { releases: before.releases, jobs: before.jobs, secrets: before.secrets },
          );
        },
      );
    });
  });
});
