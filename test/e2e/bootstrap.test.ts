/**
 * The deployer goes into the target cluster: the embedded one, whose pods are simulated. Behind the pods of its engine a
 * real Temporal answers, reached as on any cluster: through the API server. Processes of this machine stand for its workers.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { IN_CLUSTER } from '../../src/contract/names.ts';
import { createSandbox, failuresOf, resultOf, type CliRun, type Sandbox } from '../support/sandbox.ts';
import { type Kubectl, kubectlOn } from '../support/kubectl.ts';

const IMAGE = 'registry.example/platform/ananta-deploy';
const SETTINGS = { engine: { inCluster: {} }, vault: { keys: { store: 'kubernetes' } }, deployer: { image: `${IMAGE}:0.1.0`, clusterRole: 'cluster-admin' } };

interface Step { type: 'step'; step: string; state: string; text: string }
const steps = (run: CliRun): Step[] => run.lines.filter(({ type }) => type === 'step') as unknown as Step[];
const changed = (run: CliRun): unknown => run.lines.at(-1)?.['changed'];

describe('bootstrap', () => {
  test('the deployer goes into the cluster, is left alone, upgraded under a deployment, and refuses what would cost data', async () => {
    const sandbox = await createSandbox(SETTINGS);
    const workers: { kill: (signal: NodeJS.Signals) => void; done: Promise<unknown> }[] = [];
    try {
      const dry = await sandbox.cli(['bootstrap', '--dry-run']);
      assert.equal(dry.code, 2, dry.stderr);
      assert.match(dry.stdout, /kind: StatefulSet[^]*kind: Deployment/);
      assert.doesNotMatch(dry.stdout, /kind: Secret\n/);

      const first = await sandbox.cli(['bootstrap', '--json']);
      assert.equal(first.code, 0, first.stderr);
      assert.deepEqual(steps(first).filter(({ state }) => state === 'made').map(({ step }) => step).filter((step) => step.startsWith('deployer-')),
        ['deployer-database', 'deployer-schema', 'deployer-engine', 'deployer-ui', 'deployer-worker']);
      assert.equal(steps(first).find(({ step }) => step === 'role')?.state, 'checked');

      const again = await sandbox.cli(['bootstrap', '--json']);
      assert.equal(again.code, 0, again.stderr);
      assert.deepEqual(changed(again), []);

      const nobody = await sandbox.cli(['deploy']);
      assert.equal(nobody.code, 3);
      assert.match(nobody.stderr, /no worker asks the task queue[^]*npm run bootstrap -- --env rehearsal/);

      await upgradeUnderDeployment(sandbox, workers);
      await refusals(sandbox);
    } finally {
      for (const worker of workers) worker.kill('SIGTERM');
      await Promise.all(workers.map(({ done }) => done));
      await sandbox.close();
    }
  });
});

function kubectlFor({ state, folder }: Sandbox): Promise<Kubectl> {
  return kubectlOn(join(state, 'cluster', 'kubeconfig'), folder);
}

/** One worker goes, another comes, the release of the workers is upgraded: the deployment notices nothing. */
async function upgradeUnderDeployment(sandbox: Sandbox, workers: { kill: (signal: NodeJS.Signals) => void; done: Promise<unknown> }[]): Promise<void> {
  const kubectl = await kubectlFor(sandbox);
  const password = (): Promise<string> => kubectl(['get', 'secret', IN_CLUSTER.databaseSecret, '--namespace', IN_CLUSTER.namespace, '--output', 'jsonpath={.data.password}']);
  const before = await password();
  const old = sandbox.start(['worker']);
  workers.push(old);
  await workerHeard(sandbox);
  const deploying = sandbox.start(['deploy', '--json']);
  await deploying.line(({ type, state }) => type === 'service' && state === 'healthy');

  const upgrade = await sandbox.cli(['bootstrap', '--image', `${IMAGE}:0.2.0`, '--json']);
  assert.equal(upgrade.code, 0, upgrade.stderr);
  assert.deepEqual(changed(upgrade), ['deployer-worker']);
  workers.push(sandbox.start(['worker']));
  old.kill('SIGTERM');
  const run = await deploying.done;
  const result = resultOf(run);
  assert.equal(result.outcome, 'succeeded', failuresOf(run));
  assert.equal(result.services.length, 48);
  assert.equal((await sandbox.cli(['deploy', '--json'])).code, 0, 'all of it is in the cluster');
  assert.equal(await password(), before, 'the password is never changed');
}

async function refusals(sandbox: Sandbox): Promise<void> {
  await sandbox.configure({ engine: { inCluster: { historyShards: 256 } } });
  const shards = await sandbox.cli(['bootstrap']);
  assert.equal(shards.code, 3);
  assert.match(shards.stderr, /128 history shards, which cannot be changed/);

  await sandbox.configure({ vault: { keys: { store: 'file' } } });
  const keys = await sandbox.cli(['bootstrap']);
  assert.equal(keys.code, 3);
  assert.match(keys.stderr, /keys that open Vault/);

  await sandbox.configure({});
  const kubectl = await kubectlFor(sandbox);
  await kubectl(['delete', 'secret', IN_CLUSTER.databaseSecret, '--namespace', IN_CLUSTER.namespace]);
  const lost = await sandbox.cli(['bootstrap']);
  assert.equal(lost.code, 3);
  assert.match(lost.stderr, /has its volume[^]*Another password would lock the engine out/);
}

/** The engine has heard from a worker. */
async function workerHeard(sandbox: Sandbox): Promise<void> {
  for (let look = 0; look < 30; look += 1) {
    const worker = (await sandbox.components()).find(({ name }) => name === 'worker');
    if (worker?.healthy === true) return;
  }
  throw new Error('no worker has asked for work');
}
