/** Runs the real CLI as a process, away from the real state and, where asked, with environments of its own. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const main = join(root, 'src', 'cli', 'main.ts');

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Workspace {
  folder: string;
  run: (args: readonly string[], options?: { input?: string; env?: Record<string, string> }) => Promise<Ran>;
  /** Writes environments/<name>.yaml; from then on only such files are seen. */
  environment: (name: string, text: string) => Promise<void>;
  /** What is in the state folder. */
  state: () => Promise<string[]>;
  remove: () => Promise<void>;
}

export async function workspace(): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'ananta-cli-'));
  const state = join(folder, 'state');
  let environmentsDir = join(root, 'environments');
  return {
    folder,
    async environment(name, text) {
      environmentsDir = folder;
      await writeFile(join(folder, `${name}.yaml`), text);
    },
    state: () => readdir(state).catch(() => []),
    remove: () => rm(folder, { recursive: true, force: true }),
    run: (args, { input = '', env = {} } = {}) => new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
        cwd: folder,
        env: { PATH: process.env['PATH'], HOME: folder, ANANTA_STATE_DIR: state, ANANTA_CACHE_DIR: join(folder, 'cache'), ANANTA_ENVIRONMENTS_DIR: environmentsDir,
          NODE_COMPILE_CACHE: join(tmpdir(), 'ananta-cli-compile-cache'), ...env },
      });
      // What should be refused at once must not build tools for an hour when it is not.
      const timeout = setTimeout(() => child.kill('SIGINT'), 30_000);
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(timeout);
        resolve({ code, stdout, stderr });
      });
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
    }),
  };
}

/** An environment whose engine and cluster are elsewhere; nothing answers at the engine's address. */
export function externalEnvironment({ context = 'stage', kubeconfig, engine = '127.0.0.1:1', more = '' }: { context?: string; kubeconfig?: string; engine?: string; more?: string } = {}): string {
  return `description: for a test
cluster: {context: ${context}${kubeconfig === undefined ? '' : `, kubeconfig: ${kubeconfig}`}}
engine: {address: '${engine}', namespace: deployer}
charts: bundled
domain: example.test
images: {prefix: registry.example.test/ananta}
suppliedSecrets: placeholder
gitops: {repoURL: 'https://example.test/repository.git'}
${more}`;
}

export function kubeconfigFor(server: string, context = 'stage'): string {
  return JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': context, users: [{ name: 'u', user: { token: 't' } }],
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }], contexts: [{ name: context, context: { cluster: 'c', user: 'u' } }],
  });
}
