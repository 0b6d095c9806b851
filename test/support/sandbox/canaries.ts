/**
 * Secrets as canaries: every value that Vault holds, the unseal keys and the root token, and all the places in which
 * none of them may stand.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { closeTemporal, connectTemporal } from '../../../src/clients/temporal/index.ts';
import { readConfig } from '../../../src/config.ts';
import { ENGINE_NAMESPACE } from '../../../src/contract/names.ts';
import { readRuntime } from '../../../src/environment/connections.ts';
import { environmentOf, processesOf } from '../programs/processes.ts';
import { clusterOf, decodedReleases, generatedInSecrets, secretValues } from './cluster-facts.ts';
import type { CliRun, Sandbox } from './sandbox.ts';

/**
 * Where secrets belong: etcd holds the Kubernetes Secrets, raft is Vault's own (encrypted), the keys file is the keys
 * file.
 */
const BELONGS = [/(^|\/)etcd\//, /^vault\/(data|raft)\//, /^vault-keys\.json$/, /(^|\/)pki\//, /kubeconfig/];
const keysSchema = z.object({ keys: z.array(z.string()).default([]), rootToken: z.string().optional() });

export interface Canaries {
  /** Does it, and meanwhile samples the processes of the sandbox and the keys file. */
  watched: <T>(work: () => Promise<T>) => Promise<T>;
  /** @param runs of commands, which may have said it @throws AssertionError that names value and place */
  assertNowhere: (runs: readonly CliRun[]) => Promise<void>;
}

export function canariesOf(sandbox: Sandbox): Canaries {
  const processes = new Set<string>();
  const keys = new Set<string>();
  const sample = async (): Promise<void> => {
    for (const { pid, args } of await processesOf(sandbox.folder)) {
      processes.add(args.join(' '));
      processes.add(await environmentOf(pid));
    }
    const text = await readFile(join(sandbox.state, 'vault-keys.json'), 'utf8').catch(() => '{}');
    const kept = keysSchema.parse(JSON.parse(text));
    for (const key of [...kept.keys, kept.rootToken]) if (key !== undefined) keys.add(key);
  };
  return {
    watched: async (work) => {
      let running = true;
      const loop = (async () => {
        while (running) {
          await sample();
          await sleep(60);
        }
      })();
      try {
        return await work();
      } finally {
        running = false;
        await loop;
      }
    },
    assertNowhere: async (runs) => {
      assert.ok(keys.size > 1, 'the unseal key and the root token were never seen');
      const places = new Map<string, string>([
        ['standard output', runs.map(({ stdout }) => stdout).join('\n')],
        ['standard error', runs.map(({ stderr }) => stderr).join('\n')],
        ['process arguments and environments', [...processes].join('\n')],
      ]);
      const cluster = await clusterOf(sandbox);
      try {
        const canaries = await secretValues(cluster, sandbox.catalog);
        for (const key of keys) canaries.set(key, 'an unseal key or the root token');
        // All that Vault generates and somebody gets in a Secret.
        assert.ok(
          canaries.size >= generatedInSecrets(sandbox.catalog) + keys.size,
          `only ${canaries.size} values found to look for`,
        );
        for (const [id, text] of await histories(sandbox)) places.set(`history of ${id}`, text);
        for (const { name, text } of await decodedReleases(cluster)) places.set(`release ${name}`, text);
        for (const [path, text] of await files(sandbox.state)) places.set(`file ${path}`, text);
        for (const [place, text] of places) {
          for (const [value, what] of canaries) {
            for (const form of [value, Buffer.from(value).toString('base64').replace(/=+$/, '')])
              assert.ok(!text.includes(form), `${what} stands in ${place}`);
          }
        }
      } finally {
        cluster.close();
      }
    },
  };
}

/** All workflows' histories as text, with every payload decoded. */
async function histories(sandbox: Sandbox): Promise<Map<string, string>> {
  const runtime = await readRuntime({ ...readConfig(), stateRoot: join(sandbox.folder, 'state') }, sandbox.name);
  assert.ok(runtime?.engine);
  const client = await connectTemporal({ address: runtime.engine.address, namespace: ENGINE_NAMESPACE });
  const found = new Map<string, string>();
  try {
    for await (const info of client.workflow.list()) {
      const history = await client.workflow.getHandle(info.workflowId, info.runId).fetchHistory();
      const text = JSON.stringify(history, (_key, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString() : value,
      );
      found.set(`${info.workflowId} ${info.runId}`, text);
    }
  } finally {
    await closeTemporal(client);
  }
  // Two deployments, and a child for each phase of one.
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
