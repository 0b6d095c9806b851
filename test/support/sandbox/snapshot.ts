/**
 * A sandbox with its platform deployed, from a copy of the state that an earlier one left: etcd, the engine's database,
 * Vault's storage and its keys, the cluster's folder. Made once for what the checkout, the environment and the tools
 * are now; whoever needs a deployed platform then only starts it.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withLock } from '../../../bootstrap/process/lock.ts';
import { readConfig } from '../../../src/config.ts';
import { digestOf, folderDigest } from '../../../src/plan/digest.ts';
import { createSandbox, failuresOf, MINI, resultOf, type Sandbox, type SandboxOptions } from './sandbox.ts';

const config = readConfig();
const FOLDERS = ['src', 'bootstrap', 'helm', 'platforms', 'environments'];

/** What all of them were deployed with; a schedule of drift runs is whoever's it tests. */
const DEPLOYED = { ...MINI, drift: { mode: 'off' } };

/**
 * The small platform: all services are healthy in it, each at its first revision, nothing runs on its engine, and Vault
 * is sealed until somebody needs it.
 * @param overrides of the environment file, on top of those of the snapshot: they count from the next deployment on
 */
export async function deployedSandbox(
  overrides: Record<string, unknown> = {},
  options: Omit<SandboxOptions, 'beside' | 'from'> = {},
): Promise<Sandbox> {
  const snapshot = await snapshotOf(DEPLOYED);
  const sandbox = await createSandbox({ ...DEPLOYED, ...overrides }, { ...options, from: snapshot });
  const up = await sandbox.look(['up']);
  if (up.code === 0) return sandbox;
  await sandbox.close();
  throw new Error(`A copy of ${snapshot} cannot be started:\n${up.stdout}${up.stderr}`);
}

/** @returns its folder, made when it is missing */
async function snapshotOf(overrides: Record<string, unknown>): Promise<string> {
  const kind = digestOf(overrides);
  const contents = await Promise.all(FOLDERS.map((folder) => folderDigest(join(config.repoRoot, folder))));
  const folder = join(config.stateRoot, 'snapshots', kind, digestOf(contents));
  await mkdir(dirname(folder), { recursive: true });
  await withLock(`${dirname(folder)}.lock`, {}, async () => {
    if (existsSync(folder)) return;
    for (const old of await readdir(dirname(folder))) await rm(join(dirname(folder), old), { recursive: true });
    const sandbox = await createSandbox(overrides);
    try {
      const run = await sandbox.look(['deploy', '--json']);
      assert.equal(resultOf(run).outcome, 'succeeded', failuresOf(run));
      // In good order: what is copied has been written.
      const down = await sandbox.look(['down']);
      assert.equal(down.code, 0, down.stderr);
      await cp(sandbox.state, `${folder}.part`, { recursive: true, verbatimSymlinks: true });
      await rename(`${folder}.part`, folder);
    } finally {
      await sandbox.close();
    }
  });
  return folder;
}
