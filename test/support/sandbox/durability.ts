/**
 * What the faults of the durability suite have in common: a deployment that is hit, and the proof that nothing came of
 * it: all services healthy, one revision per release, every Job run once, secrets as they were, nothing left over, and
 * the next run does nothing.
 */
import assert from 'node:assert/strict';
import type { ComponentName } from '../../../bootstrap/layout.ts';
import { waitUntil } from '../../../bootstrap/process/wait.ts';
import { bystanderOn } from './bystander.ts';
import { clusterOf, type Facts, factsOf } from './cluster-facts.ts';
import { helmProcesses } from '../programs/processes.ts';
import { failuresOf, type JsonLine, resultOf, type ResultLine, type Running, type Sandbox } from './sandbox.ts';

export const stateIs =
  (name: string, ...states: string[]) =>
  (line: JsonLine): boolean =>
    line.type === 'service' && line['name'] === name && states.includes(String(line['state']));

/** Brings the local stack up first, so that the fault hits the deployment and not the set-up. */
export async function deployUnder(sandbox: Sandbox, fault: (running: Running) => Promise<void>): Promise<ResultLine> {
  const up = await sandbox.look(['up']);
  assert.equal(up.code, 0, up.stderr);
  const bystander = await bystanderOn(sandbox);
  const running = sandbox.begin(['deploy', '--json']);
  await fault(running);
  const run = await running.done;
  const result = resultOf(run);
  if (result.outcome !== 'succeeded') console.error(failuresOf(run));
  await bystander.assertUntouched();
  return result;
}

/** @param befores what there was when something died: all of it is still what it was */
export async function assertAsAfterACleanRun(sandbox: Sandbox, result: ResultLine, ...befores: Facts[]): Promise<void> {
  assert.equal(
    result.outcome,
    'succeeded',
    JSON.stringify(result.services.filter((service) => !['healthy', 'completed'].includes(service.state))),
  );
  assert.equal(result.services.length, sandbox.catalog.services.length);
  const cluster = await clusterOf(sandbox);
  try {
    const facts = await factsOf(cluster);
    for (const [release, revisions] of Object.entries(facts.releases))
      assert.deepEqual(revisions, ['1:deployed'], `${release} was upgraded for nothing`);
    for (const [job, { pods, succeeded }] of Object.entries(facts.jobs))
      assert.deepEqual({ pods, succeeded }, { pods: 1, succeeded: 1 }, `${job} did not run once`);
    for (const before of befores) {
      for (const [secret, digest] of Object.entries(before.secrets))
        assert.equal(facts.secrets[secret], digest, `${secret} was changed`);
      for (const [workload, uid] of Object.entries(before.workloads))
        assert.equal(facts.workloads[workload], uid, `${workload} was made anew`);
      for (const [job, { uid }] of Object.entries(before.jobs))
        assert.equal(facts.jobs[job]?.uid, uid, `${job} was made anew`);
    }
    assert.deepEqual(await helmProcesses(sandbox.state), []);
    const again = await sandbox.deploy();
    assert.equal(
      again.outcome,
      'unchanged',
      JSON.stringify(again.services.filter((service) => service.state !== 'unchanged')),
    );
    assert.deepEqual(await factsOf(cluster), facts);
  } finally {
    cluster.close();
  }
}

/** Kills a component and waits until the attached command has started it again. */
export async function killed(sandbox: Sandbox, component: ComponentName): Promise<void> {
  const pid = await sandbox.pidOf(component);
  process.kill(pid, 'SIGKILL');
  await waitUntil(`another ${component}`, { timeoutMs: 30_000 }, async () => {
    const now = await sandbox.pidOf(component).catch(() => pid);
    return now === pid ? undefined : now;
  });
}

export async function facts(sandbox: Sandbox): Promise<Facts> {
  const cluster = await clusterOf(sandbox);
  try {
    return await factsOf(cluster);
  } finally {
    cluster.close();
  }
}
