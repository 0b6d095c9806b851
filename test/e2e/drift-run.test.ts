/**
 * The schedule of drift runs on a whole platform: registered by the deployment, paused, resumed, repairs, breaks a
 * loop, keeps away from deployments, notifies.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clearFailure, failRelease } from '../../bootstrap/cluster/index.ts';
import type { Notification } from '../../src/contract/notifications.ts';
import { closeTemporal, connectTemporal } from '../../src/clients/temporal/index.ts';
import { readConfig } from '../../src/config.ts';
import type { DriftFinding, DriftReport } from '../../src/contract/drift.ts';
import type { DriftRun } from '../../src/contract/drift-state.ts';
import { ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import { readRuntime } from '../../src/environment/connections.ts';
import { shortId } from '../../src/plan/drift/key.ts';
import { bystanderOn } from '../support/sandbox/bystander.ts';
import { kubectlOn } from '../support/sandbox/kubectl.ts';
import { failuresOf, type Sandbox, withSandbox } from '../support/sandbox/sandbox.ts';
import { deployedSandbox } from '../support/sandbox/snapshot.ts';

const WHERE = ['--namespace', 'apps', 'deployment/web'];
const EVERY_SECONDS = 3;
const drift = { mode: 'repair', everySeconds: EVERY_SECONDS, flapLimit: 2, flapWindowSeconds: 3600 };
/** Writes the notifications that it gets, one line a call, into the home of the worker's environment. */
const notifyInto = (file: string): Record<string, unknown> => ({
  command: ['sh', '-c', `cat >> ${file}; echo >> ${file}`],
});

async function until<T>(what: string, seconds: number, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + seconds * 1000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    // Each look starts a command, so looks are rare.
    await sleep(1500);
  }
}

async function json<T>(sandbox: Sandbox, code: number, ...args: string[]): Promise<T> {
  const run = await sandbox.look([...args, '--json']);
  assert.equal(run.code, code, `${args.join(' ')}: ${run.code}\n${run.stdout}\n${run.stderr}`);
  return JSON.parse(run.stdout) as T;
}

test('drift runs: registered, paused, accepted, repaired, told, a loop broken, skipped during a deployment', async () => {
  await withSandbox(deployedSandbox({ drift }), async (sandbox) => {
    const calls = join(sandbox.folder, 'calls.jsonl');
    await sandbox.configure({ notify: notifyInto(calls) });
    const told = async (): Promise<Notification[]> =>
      (await readFile(calls, 'utf8').catch(() => ''))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Notification);
    const runs = async (): Promise<DriftRun[]> =>
      (await json<{ runs: DriftRun[] }>(sandbox, 0, 'drift', 'runs')).runs.filter(
        ({ outcome }) => (outcome as string) !== 'running',
      );
    const show = (
      code: number,
    ): Promise<Omit<DriftReport, 'findings'> & { findings: (DriftFinding & { id: string })[] }> =>
      json(sandbox, code, 'drift');

    const deployed = await sandbox.look(['deploy', '--json']);
    assert.equal(deployed.code, 0, failuresOf(deployed));
    const bystander = await bystanderOn(sandbox);
    const runtime = await readRuntime({ ...readConfig(), stateRoot: join(sandbox.folder, 'state') }, sandbox.name);
    assert.ok(runtime?.cluster && runtime.engine);
    const kubectl = await kubectlOn(runtime.cluster.kubeconfig, sandbox.folder);
    const replicas = async (): Promise<number> =>
      Number(await kubectl(['get', ...WHERE, '-o', 'jsonpath={.spec.replicas}']));
    const scale = async (to: number): Promise<void> => {
      await kubectl([
        'patch',
        ...WHERE,
        '--type=merge',
        '--field-manager=night-shift',
        '-p',
        JSON.stringify({ spec: { replicas: to } }),
      ]);
    };

    // The deployment has registered it; an untouched platform has no findings, whoever looks.
    const { schedule } = await json<{ schedule: { everySeconds: number; input: { mode: string }; paused: boolean } }>(
      sandbox,
      0,
      'drift',
      'schedule',
    );
    assert.deepEqual([schedule.everySeconds, schedule.input.mode, schedule.paused], [EVERY_SECONDS, 'repair', false]);
    const clean = await until('a scheduled run', 60, async () =>
      (await runs()).find(({ outcome }) => outcome !== 'skipped'),
    );
    assert.deepEqual([clean.outcome, clean.findings], ['clean', 0]);
    assert.deepEqual(await told(), []);

    // Paused: what somebody changes stays, and is shown.
    const paused = await sandbox.look(['drift', 'pause', '--reason', 'a look around']);
    assert.equal(paused.code, 0, paused.stderr);
    assert.match(paused.stdout, /State +paused\. Paused by \S+@\S+ at .*: a look around/);
    await until(
      'the end of the last run',
      60,
      async () =>
        (await json<{ schedule: { running: unknown[] } }>(sandbox, 0, 'drift', 'schedule')).schedule.running.length ===
        0,
    );
    assert.deepEqual((await show(0)).findings, []);
    await scale(3);
    const { findings } = await show(2);
    const finding = findings.find(({ field }) => field === 'spec.replicas');
    assert.ok(finding, JSON.stringify(findings));
    assert.deepEqual([finding.kind, finding.service, finding.was, finding.is], ['changed', 'web', '1', '3']);
    assert.match(finding.by ?? '', /night-shift/);
    const text = await sandbox.look(['drift']);
    assert.equal(text.code, 2);
    assert.match(
      text.stdout,
      new RegExp(`web\n  ${finding.id}  changed: Deployment apps/web spec\\.replicas\n +1 → 3\n +by night-shift`),
    );

    // Accepted as it is; another value is drift again; and what was accepted can be taken back.
    const accepted = await sandbox.look(['drift', 'accept', finding.id, '--reason', 'for the sale']);
    assert.equal(accepted.code, 0, accepted.stderr);
    assert.equal((await show(0)).accepted, findings.length);
    await scale(4);
    assert.equal((await show(2)).findings[0]?.is, '4');
    assert.match((await sandbox.look(['drift', 'accepted'])).stdout, new RegExp(`^${finding.id} .*\n.*for the sale`));
    assert.equal((await sandbox.look(['drift', 'unaccept', finding.id])).code, 0);
    assert.equal((await sandbox.look(['drift', 'accept', 'zzzzzz'])).code, 3);
    const looked = await json<{ outcome: string }>(sandbox, 2, 'drift', 'run', '--report');
    assert.equal(looked.outcome, 'drifted');
    assert.equal(await replicas(), 4);

    // Resumed: the next run puts it back and notifies.
    assert.equal((await sandbox.look(['drift', 'resume'])).code, 0);
    await until('the repair', 90, async () => (await replicas()) === 1);
    const repaired = await until('the repaired run', 60, async () =>
      (await runs()).find(({ outcome }) => outcome === 'repaired'),
    );
    assert.ok(repaired.repaired >= 1);
    const call = await until('the notification', 30, async () =>
      (await told()).find(({ lines }) => lines.some((line) => line.startsWith(`repaired: ${finding.id}`))),
    );
    assert.deepEqual([call.event, call.environment, call.workflowId], ['drift', sandbox.name, repaired.workflowId]);
    assert.match(call.title, /^Drift on rehearsal: .*1 repaired/);
    const client = await connectTemporal({ address: runtime.engine.address, namespace: ENGINE_NAMESPACE });
    try {
      await until(
        'the search attribute',
        30,
        async () =>
          (await client.workflow.count("AnantaDrift = 'repaired' AND AnantaEnvironment = 'rehearsal'")).count >= 1,
      );
    } finally {
      await closeTemporal(client);
    }

    // Something keeps writing it: after as many repairs as the environment allows it is left alone, and reported once.
    let looping = true;
    const loop = (async () => {
      while (looping) {
        if ((await replicas()) !== 3) await scale(3);
        await sleep(1000);
      }
    })();
    try {
      const broken = await until('the loop breaker', 120, async () =>
        (await runs()).find(({ flapping }) => flapping > 0),
      );
      await until(
        'two more runs',
        60,
        async () => (await runs()).filter(({ at, outcome }) => at > broken.at && outcome === 'drifted').length >= 2,
      );
      assert.deepEqual(
        (await runs())
          .filter(({ at }) => at > broken.at)
          .map(({ repaired: number }) => number)
          .filter((number) => number > 0),
        [],
      );
      assert.equal(
        (await told()).filter(
          ({ lines }) =>
            lines.some((line) => line.startsWith(`flaps, left alone: ${finding.id}`)) &&
            lines.every((line) => !line.startsWith('repaired')),
        ).length,
        1,
      );
      assert.match((await sandbox.look(['drift'])).stdout, /left alone: it came back after each repair/);
    } finally {
      looping = false;
      await loop;
    }
    assert.equal(await replicas(), 3);
    assert.equal((await sandbox.look(['drift', 'reset', shortId(finding.key)])).code, 0);
    await until('the repair after the reset', 90, async () => (await replicas()) === 1);

    // No repair begins while a slow deployment runs.
    await sandbox.simulate((api) => failRelease(api, 'web', 'never-ready'));
    const slow = sandbox.begin(['deploy', '--json', '--image', 'web=9.9.9']);
    await slow.line(({ type }) => type === 'started');
    const skipped = await until('a skipped run', 60, async () =>
      (await runs()).find(({ outcome, reason }) => outcome === 'skipped' && reason?.startsWith('deploy by ')),
    );
    await sandbox.simulate((api) => clearFailure(api, 'web'));
    const done = await slow.done;
    assert.equal(done.code, 0, failuresOf(done));
    assert.match(skipped.reason ?? '', /holds the lock since/);
    await bystander.assertUntouched();
  });
});
