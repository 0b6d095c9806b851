/**
 * Caches that depend on contents alone are shared by all environments of a checkout, and by all state folders of tests:
 * the bundle of the workflow code, compiled modules, the bundler's native part, digests of rendered charts.
 */
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '../../src/config.ts';

const config = readConfig();

/** @param stateRoot a new one; made if it is missing */
export async function shareCaches(stateRoot: string): Promise<void> {
  await mkdir(join(stateRoot, 'cache'), { recursive: true });
  for (const part of ['bundles', join('cache', 'node'), join('cache', 'swc'), join('cache', 'rendered')]) {
    const shared = join(config.stateRoot, part);
    await mkdir(shared, { recursive: true });
    // Environments beside each other have one state folder.
    await symlink(shared, join(stateRoot, part)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}
