/** Fingerprints that are the same wherever and in whatever order things were read. */
import { createHash } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isVaultInit, type PlannedStep } from '../contract/operations/plan.ts';
import { sorted } from './sorted.ts';

/** Left behind by editors and file managers: no part of a chart. */
const LEFTOVER = /(^\.(?!helmignore$))|~$|^#.*#$|\.(swp|swo|orig|rej|bak|tmp)$/;

/** @returns 16 hex characters over the value, whatever the order of its keys */
export function digestOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')
    .slice(0, 16);
}

/**
 * Over all that a plan does: an edited chart, another tag, another state of the cluster or another selection gives
 * another.
 */
export function planDigest(environment: string, services: readonly { steps: readonly PlannedStep[] }[]): string {
  return digestOf([
    environment,
    services.map(({ steps }) =>
      steps.map((step) => [
        // The name that it had in earlier versions, so that plans which were kept then still fit.
        isVaultInit(step) && step.name === 'vault-init' ? 'vault-bootstrap' : step.name,
        step.action,
        step.digest,
        step.revision ?? 0,
      ]),
    ),
  ]);
}

/**
 * Over names and contents of all files below a folder; links are followed, since charts link the library they share.
 * @throws Error when the folder does not exist
 */
export async function folderDigest(folder: string): Promise<string> {
  const files = (await listFiles(folder, '')).sort();
  const contents = await Promise.all(
    files.map(async (file) => [
      file,
      createHash('sha256')
        .update(await readFile(join(folder, file)))
        .digest('hex'),
    ]),
  );
  return digestOf(contents);
}

async function listFiles(root: string, below: string): Promise<string[]> {
  const names = (await readdir(join(root, below))).filter((name) => !LEFTOVER.test(name));
  const nested = await Promise.all(
    names.map(async (name) => {
      const path = below === '' ? name : `${below}/${name}`;
      return (await stat(join(root, path))).isDirectory() ? listFiles(root, path) : [path];
    }),
  );
  return nested.flat();
}
