import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { AnantaError } from '../../../src/contract/errors.ts';
import { describeExit, killGroup, spawnGroup } from '../../process/children.ts';
import { describeError } from '../errors.ts';
import { goEnvironment, prepareGoHome } from './environment.ts';
import type { GoBuild, ToolSpec } from '../manifest/types.ts';
import { findExecutables } from '../onpath.ts';
import type { NewProgram } from '../receipts.ts';
import type { Platform, ToolEnvironment } from '../types.ts';
import { compareVersions } from '../manifest/versions.ts';
import { recordChild } from '../workfolder.ts';

const run = promisify(execFile);

/** A Go command that answered. */
export interface GoToolchain {
  path: string;
  /** "1.26.8" */
  version: string;
  /** Whether it fetches a newer toolchain by itself when a module asks for one. */
  canUpgrade: boolean;
}

export interface GoBuildOptions {
  /** The folder that holds one module folder per family. */
  modules: string;
  cacheDir: string;
  env: ToolEnvironment;
  signal?: AbortSignal | undefined;
  onProgress: (detail: string) => void;
}

/**
 * The first Go command on the PATH that answers.
 * @throws Error saying that there is none
 */
export async function findGo(cacheDir: string, env: ToolEnvironment): Promise<GoToolchain> {
  const candidates = await findExecutables('go', env['PATH']);
  const path = candidates[0];
  if (path === undefined) throw new Error('no go command on the PATH');
  await prepareGoHome(cacheDir);
  const options = { env: goEnvironment(cacheDir, env), timeout: 20_000 };
  const { stdout } = await run(path, ['env', 'GOVERSION', 'GOTOOLCHAIN'], options).catch((error: unknown) => {
    throw new Error(`${path} does not answer: ${describeError(error)}`);
  });
  const [goVersion = '', toolchain = ''] = stdout.split('\n').map((line) => line.trim());
  const version = /^go(\d+\.\d+(?:\.\d+)?)/.exec(goVersion)?.[1];
  if (version === undefined) throw new Error(`${path} does not say its version, but ${JSON.stringify(goVersion)}`);
  return { path, version, canUpgrade: !toolchain.startsWith('local') && compareVersions(version, '1.21.0') >= 0 };
}

/** The Go version that a family's module asks for, "1.26.0". */
export async function requiredGo(modules: string, family: string): Promise<string> {
  const text = await readFile(join(modules, family, 'go.mod'), 'utf8');
  const version = /^go (\d+\.\d+(?:\.\d+)?)$/m.exec(text)?.[1];
  if (version === undefined) throw new Error(`gomod/${family}/go.mod names no Go version`);
  return version;
}

const KEPT_LINES = 8;
const NETWORK_TROUBLE =
  /dial tcp|no such host|i\/o timeout|connection refused|connection reset|TLS handshake|network is unreachable|module lookup disabled/;

/** The module proxy did not answer: building anything else would end the same. */
export class ModuleProxyError extends AnantaError {
  override name = 'ModuleProxyError';
}

/**
 * `go build` with its flags, without output and package. The same for everything, so that what is compiled once is
 * shared.
 */
export function goBuildArguments({
  tags = [],
  variables = {},
}: Partial<Pick<GoBuild, 'tags' | 'variables'>> = {}): string[] {
  const stamps = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
  return [
    'build',
    '-mod=readonly',
    // Otherwise the module cache could not be deleted without changing its permissions first.
    '-modcacherw',
    '-trimpath',
    '-buildvcs=false',
    // A third less to compile, and no slower to deploy with: nothing is inlined outside the standard library, and no
    // debug information is made that the linker would only drop.
    '-gcflags=all=-dwarf=false -l',
    '-gcflags=std=-dwarf=false',
    `-ldflags=${['-s', '-w', ...stamps].join(' ')}`,
    ...(tags.length === 0 ? [] : [`-tags=${tags.join(',')}`]),
  ];
}

/**
 * Builds one program from its family's committed module; go.sum is only read, so anything that does not match it is
 * refused.
 * @throws ModuleProxyError, Error with the compiler's last lines, the signal's reason
 */
export async function buildWithGo(
  go: GoToolchain,
  spec: ToolSpec,
  platform: Platform,
  workFolder: string,
  options: GoBuildOptions,
): Promise<NewProgram> {
  const { modules, cacheDir, env, signal, onProgress } = options;
  signal?.throwIfAborted();
  const { family } = spec.goBuild;
  const required = await requiredGo(modules, family);
  if (compareVersions(go.version, required) < 0 && !go.canUpgrade) {
    throw new Error(
      `${go.path} is Go ${go.version}, ${required} is needed, and GOTOOLCHAIN=local forbids it to fetch a newer one`,
    );
  }
  const output = join(workFolder, 'program');
  const child = spawnGroup(go.path, [...goBuildArguments(spec.goBuild), '-v', '-o', output, spec.goBuild.package], {
    cwd: join(modules, family),
    env: { ...goEnvironment(cacheDir, env), ...platformVariables(platform), GOTMPDIR: workFolder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const end = finished(child, onProgress);
  // Awaited below; until then a failure must not count as unhandled.
  end.catch(() => undefined);
  const stop = (): void => {
    if (child.pid !== undefined) killGroup(child.pid);
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (child.pid !== undefined) await recordChild(workFolder, child.pid);
    await end;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  return { path: output, source: 'build', origin: `${spec.goBuild.package} ${spec.version}, Go ${go.version}` };
}

function platformVariables(platform: Platform): Record<string, string> {
  const [GOOS = '', GOARCH = ''] = platform.split('-');
  return { GOOS, GOARCH };
}

async function finished(child: ReturnType<typeof spawnGroup>, onProgress: (detail: string) => void): Promise<void> {
  const last: string[] = [];
  let packages = 0;
  const exit = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.startsWith('go: downloading ')) {
        onProgress(`fetching ${line.slice('go: downloading '.length)}`);
      } else if (/^[\w.-]+(\/[\w.~-]+)*$/.test(line)) {
        packages += 1;
        onProgress(`${packages} packages compiled, last ${line}`);
      } else {
        last.push(line.trim());
        if (last.length > KEPT_LINES) last.shift();
      }
    });
  }
  const [code, signal] = await exit;
  if (code === 0) return;
  const said = last.filter((line) => line !== '').join(' | ');
  const message = `go build ended with ${describeExit(code, signal)}${said === '' ? '' : `: ${said}`}`;
  throw NETWORK_TROUBLE.test(said) ? new ModuleProxyError(message) : new Error(message);
}
