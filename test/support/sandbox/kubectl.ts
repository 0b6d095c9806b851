/** kubectl on a cluster of a test: nothing of the user's is read or written. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { acquireTools } from '../../../bootstrap/tools/index.ts';
import { readConfig } from '../../../src/config.ts';

export interface Kubectl {
  /** @returns standard output @throws Error with all that kubectl said */
  (args: readonly string[], input?: string): Promise<string>;
}

/** @param folder for kubectl's cache of the API's kinds */
export async function kubectlOn(kubeconfig: string, folder: string): Promise<Kubectl> {
  const config = readConfig();
  const { path } = await acquireTools({
    names: ['kubectl'],
    cacheDir: config.cacheDir,
    mirror: config.toolsMirror,
    env: config.childEnv,
  }).get('kubectl');
  return (args, input = '') =>
    new Promise((resolve, reject) => {
      const child = execFile(
        path,
        ['--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'kubectl'), ...args],
        { maxBuffer: 16 * 1024 * 1024, env: { HOME: folder, GOGC: 'off' } },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(stderr || error.message, { cause: error }));
        },
      );
      child.stdin?.end(input);
    });
}

/**
 * What the API server would say to these objects: unknown fields, wrong types, values out of range, Pod Security.
 * Nothing is kept.
 * @throws Error that names every object it refuses
 */
export async function strictDryRun(kubectl: Kubectl, objects: readonly unknown[]): Promise<void> {
  await kubectl(
    ['apply', '--server-side', '--field-manager=dry-run', '--dry-run=server', '--validate=strict', '--filename', '-'],
    listOf(objects),
  );
}

export function listOf(objects: readonly unknown[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
}
