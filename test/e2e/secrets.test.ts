/** Canary test: no value that Vault holds, no unseal key and no root token shows up anywhere but where it belongs. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { closeTemporal, connectTemporal } from '../../src/clients/temporal/index.ts';
import { readConfig } from '../../src/config.ts';
import { ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import { readRuntime } from '../../src/environment/connections.ts';
import { bystanderOn } from '../support/sandbox/bystander.ts';
import { clusterOf, decodedReleases, generatedInSecrets, secretValues } from '../support/sandbox/cluster-facts.ts';
import { environmentOf, processesOf } from '../support/programs/processes.ts';
import { MINI, resultOf, type Sandbox, withSandbox } from '../support/sandbox/sandbox.ts';

/**
 * Where secrets belong: etcd holds the Kubernetes Secrets, raft is Vault's own (encrypted), the keys file is the keys
 * file.
 */
const BELONGS = [/(^|\/)etcd\//, /^vault\/(data|raft)\//, /^vault-keys\.json$/, /(^|\/)pki\//, /kubeconfig/];

describe('secrets', { concurrency: 1 }, () => {
  test('stay out of histories, logs, arguments, environments, releases and files, in a success and in a failure', async () => {
    await withSandbox(MINI, async (sandbox) => {
      const up = await sandbox.look(['up']);
      assert.equal(up.code, 0, up.stderr);
      const bystander = await bystanderOn(sandbox);
      const watch = watchWhile(sandbox);
      const run = await sandbox.cli(['deploy', '--json']);
      // Another image, and a health timeout shorter than its start-up: a failure with evidence.
      await sandbox.configure({ healthTimeoutFactor: 0.001 });
      const second = await sandbox.cli(['deploy', '--json', '--image', 'auth=99.0.0']);
      const seen = await watch.stop();
      assert.equal(resultOf(run).outcome, 'succeeded');
      assert.equal(resultOf(second).outcome, 'failed');

      const cluster = await clusterOf(sandbox);
      const canaries = await secretValues(cluster, sandbox.catalog);
      for (const key of seen.keys) canaries.set(key, 'an unseal key or the root token');
      // All that Vault generates and somebody gets in a Secret.
      assert.ok(
        canaries.size >= generatedInSecrets(sandbox.catalog) + seen.keys.length,
        `only ${canaries.size} values found to look for`,
      );
      assert.ok(seen.keys.length > 1, 'the unseal key and the root token were never seen');

      const places = new Map<string, string>([
        ['standard output', run.stdout + second.stdout],
        ['standard error', run.stderr + second.stderr],
        ['process arguments and environments', seen.processes.join('\n')],
      ]);
      for (const [id, text] of await histories(sandbox)) places.set(`history of ${id}`, text);
      for (const { name, text } of await decodedReleases(cluster)) places.set(`release ${name}`, text);
      for (const [path, text] of await files(sandbox.state)) places.set(`file ${path}`, text);
      cluster.close();
      for (const [place, text] of places) {
        for (const [value, what] of canaries) {
          for (const form of [value, Buffer.from(value).toString('base64').replace(/=+$/, '')])
            assert.ok(!text.includes(form), `${what} stands in ${place}`);
        }
      }
      await bystander.assertUntouched();
    });
  });
});

const keysSchema = z.object({ keys: z.array(z.string()).default([]), rootToken: z.string().optional() });

/** Samples the processes of the sandbox and the keys file while deployments run. */
function watchWhile(sandbox: Sandbox): { stop: () => Promise<{ processes: string[]; keys: string[] }> } {
  const texts = new Set<string>();
  const keys = new Set<string>();
  let running = true;
  const loop = (async () => {
    while (running) {
      for (const { pid, args } of await processesOf(sandbox.folder)) {
        texts.add(args.join(' '));
        texts.add(await environmentOf(pid));
      }
      const text = await readFile(join(sandbox.state, 'vault-keys.json'), 'utf8').catch(() => '{}');
      const kept = keysSchema.parse(JSON.parse(text));
      for (const key of [...kept.keys, kept.rootToken]) if (key !== undefined) keys.add(key);
      await sleep(60);
    }
  })();
  return {
    stop: async () => {
      running = false;
      await loop;
      return { processes: [...texts], keys: [...keys] };
    },
  };
}

/** All workflows' histories as text, with every payload decoded. */
async function histories(sandbox: Sandbox): Promise<Map<string, string>> {
  const runtime = await readRuntime({ ...readConfig(), stateRoot: join(sandbox.folder, 'state') }, sandbox.name);
  assert.ok(runtime?.engine);
  const client = await connectTemporal({ address: runtime.engine.address, namespace: ENGINE_NAMESPACE });
  const found = new Map<string, string>();
  for await (const info of client.workflow.list()) {
    const history = await client.workflow.getHandle(info.workflowId, info.runId).fetchHistory();
    const text = JSON.stringify(history, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    );
    found.set(`${info.workflowId} ${info.runId}`, text);
  }
  await closeTemporal(client);
  // Two deployments, and a child for each phase of the first.
  assert.ok(found.size >= 2 + sandbox.catalog.phases.length, `only ${found.size} workflows found`);
  return found;
}

async function files(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = relative(root, join(entry.parentPath, entry.name));
    if (!entry.isFile() || BELONGS.some((place) => place.test(path))) continue;
    found.set(path, await readFile(join(root, path), 'latin1'));
  }
  return found;
}
