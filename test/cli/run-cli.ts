/** Runs the real CLI away from the real state and, where asked, with environments of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../src/config.ts';
import { commandInProcess } from '../support/programs/command.ts';

/** Shows all output of a command whose exit code is not the expected one. */
export function exits({ code, stdout, stderr }: Ran, wanted: number, why = ''): void {
  assert.equal(
    code,
    wanted,
    `${why === '' ? '' : `${why}: `}exit code ${code} instead of ${wanted}\n${stdout}\n${stderr}`,
  );
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const main = join(root, 'src', 'cli', 'main.ts');

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string;
  env?: Record<string, string>;
}

export interface Running {
  done: Promise<Ran>;
  /** Resolves once standard output has it. */
  says: (pattern: RegExp) => Promise<void>;
  kill: (signal: NodeJS.Signals) => void;
  /** As `… | head` does when it has enough. */
  closeOutput: () => void;
  /** Stops reading, as a slow reader does. */
  pause: () => void;
  resume: () => void;
}

export interface Workspace {
  folder: string;
  /**
   * Runs in the process of the test, which takes a tenth of the time; in a process of its own where it has input or
   * environment variables.
   */
  run: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
  start: (args: readonly string[], options?: RunOptions) => Running;
  /** Writes environments/<name>.yaml; from then on only such files are seen. */
  environment: (name: string, text: string) => Promise<void>;
  /** Files in the state folder. */
  state: () => Promise<string[]>;
  remove: () => Promise<void>;
}

/** @param cacheDir of tools; by default an empty one, for commands that must not get as far as needing any */
export async function workspace(cacheDir?: string): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'ananta-cli-'));
  const state = join(folder, 'state');
  let environmentsDir = join(root, 'environments');
  const environment = (): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    HOME: folder,
    ANANTA_STATE_DIR: state,
    ANANTA_CACHE_DIR: cacheDir ?? join(folder, 'cache'),
    ANANTA_ENVIRONMENTS_DIR: environmentsDir,
    NODE_COMPILE_CACHE: join(tmpdir(), 'ananta-cli-compile-cache'),
  });
  const start: Workspace['start'] = (args, { input = '', env = {} } = {}) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
      cwd: folder,
      env: { ...environment(), ...env },
    });
    // If the refusal under test does not come, the command must not go on to build tools for an hour.
    const timeout = setTimeout(() => child.kill('SIGINT'), 180_000);
    const seen = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (seen.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (seen.stderr += text));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const done = new Promise<Ran>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(timeout);
        resolve({ code, ...seen });
      });
    });
    const says = async (pattern: RegExp): Promise<void> => {
      for (let waited = 0; !pattern.test(seen.stdout); waited += 50) {
        if (waited > 150_000 || child.exitCode !== null)
          throw new Error(`${String(pattern)} was not said:\n${seen.stdout}\n${seen.stderr}`);
        await sleep(50);
      }
    };
    return {
      done,
      says,
      kill: (signal) => child.kill(signal),
      closeOutput: () => child.stdout.destroy(),
      pause: () => child.stdout.pause(),
      resume: () => child.stdout.resume(),
    };
  };
  return {
    folder,
    async environment(name, text) {
      environmentsDir = folder;
      await writeFile(join(folder, `${name}.yaml`), text);
    },
    state: () => readdir(state).catch(() => []),
    remove: () => rm(folder, { recursive: true, force: true }),
    run: async (args, options) => {
      // A worker is always a process of its own.
      if (options !== undefined || args[0] === 'worker') return start(args, options).done;
      const { code, stdout, stderr } = await commandInProcess(readConfig(environment()), args);
      return { code, stdout, stderr };
    },
    start: (args, options) => start(args, options),
  };
}

/** An environment whose engine and cluster are elsewhere; nothing answers at the engine's address. */
export function externalEnvironment({
  context = 'stage',
  kubeconfig,
  engine = '127.0.0.1:1',
  namespace = 'deployer',
  more = '',
}: {
  context?: string;
  kubeconfig?: string;
  engine?: string;
  namespace?: string;
  more?: string;
} = {}): string {
  return `description: for a test
cluster: {context: ${context}${kubeconfig === undefined ? '' : `, kubeconfig: ${kubeconfig}`}}
engine: {address: '${engine}', namespace: ${namespace}}
charts: bundled
domain: example.test
images: {prefix: registry.example.test/ananta}
suppliedSecrets: placeholder
gitops: {repoURL: 'https://example.test/repository.git'}
${more}`;
}

export function kubeconfigFor(server: string, context = 'stage'): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    users: [{ name: 'u', user: { token: 't' } }],
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    contexts: [{ name: context, context: { cluster: 'c', user: 'u' } }],
  });
}

/**
 * An API server that knows its own uid, has no pods, and lets everybody do everything. @param authority PEM of what it
 * publishes as its authority
 */
export async function startFakeApi(
  uid = '11111111-2222-3333-4444-555555555555',
  authority?: string,
  objects: Record<string, object> = {},
): Promise<{ address: string; written: string[]; close: () => void }> {
  const written: string[] = [];
  const kept = new Map<string, object>(Object.entries(objects));
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    const url = (request.url ?? '').replace(/\?.*/, '');
    const isWrite = request.method !== 'GET' && !url.includes('reviews');
    if (isWrite) written.push(`${request.method ?? ''} ${url}`);
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      // The deployer's own records are kept, as any API server would.
      if (isWrite && url.startsWith('/api/v1/namespaces/ananta-system')) {
        const object = JSON.parse(body) as { metadata: { name: string } };
        const path = request.method === 'POST' ? `${url}/${object.metadata.name}` : url;
        const uid = path;
        kept.set(path, { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(written.length) } });
        response.end(JSON.stringify(kept.get(path)));
        return;
      }
      const own = kept.get(url) ?? (url.startsWith('/api/v1/namespaces/ananta-system') ? NOT_FOUND : undefined);
      const answer = url.endsWith('/configmaps/kube-root-ca.crt')
        ? publishedAuthority(authority)
        : (own ?? answerTo(url, uid));
      if (answer === NOT_FOUND) response.statusCode = 404;
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    written,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const NOT_FOUND = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, reason: 'NotFound' };

/** The ConfigMap kube-root-ca.crt, which a cluster without TLS does not have. */
function publishedAuthority(authority: string | undefined): object {
  return authority === undefined
    ? NOT_FOUND
    : {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'kube-root-ca.crt', uid: 'ca', resourceVersion: '1' },
        data: { 'ca.crt': authority },
      };
}

function answerTo(url: string, uid: string): object {
  if (url.startsWith('/api/v1/namespaces/kube-system') && !url.includes('/pods'))
    return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system', uid, resourceVersion: '1' } };
  if (url.startsWith('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews'))
    return {
      status: {
        incomplete: false,
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
        nonResourceRules: [],
      },
    };
  if (url.startsWith('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews')) return { status: { allowed: true } };
  return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '1' }, items: [] };
}
