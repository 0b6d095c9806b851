/** A copy of the checkout, for tests that edit what is deployed from. */
import { cp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '../../src/config.ts';

const DEPLOYED_FROM = [
  'bootstrap',
  'environments',
  'helm',
  'platforms',
  'src',
  'package.json',
  'package-lock.json',
  'launcher.mjs',
];

/**
 * @param more of the checkout than a deployment needs, such as its tests
 * @returns the folder; npm's packages are those of the checkout itself
 */
export async function copyOfCheckout(folder: string, more: readonly string[] = []): Promise<string> {
  const { repoRoot } = readConfig({});
  for (const part of [...DEPLOYED_FROM, ...more])
    await cp(join(repoRoot, part), join(folder, part), { recursive: true, verbatimSymlinks: true });
  await symlink(join(repoRoot, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
