import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goFolder } from '../layout.ts';
import type { ToolEnvironment } from '../types.ts';

function userConfigFolder(home: string, xdgConfigHome?: string): string {
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support');
  return xdgConfigHome ?? join(home, '.config');
}

function goHome(cacheDir: string): string {
  return join(goFolder(cacheDir), 'home');
}

/** Go's telemetry starts a process of its own that outlives the command; in our folder it is switched off. */
export async function prepareGoHome(cacheDir: string): Promise<void> {
  const folder = join(userConfigFolder(goHome(cacheDir)), 'go', 'telemetry');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'mode'), 'off');
}

/**
 * The environment for the Go command: the caller's settings (module proxy, checksum database, credentials) stay in
 * force, but everything that Go writes goes below the cache folder.
 */
export function goEnvironment(cacheDir: string, env: ToolEnvironment): Record<string, string> {
  const folder = goFolder(cacheDir);
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const result: Record<string, string> = Object.fromEntries(given);
  const home = env['HOME'];
  if (home !== undefined) {
    // Settings are found through HOME, which is another one for Go: so they are named one by one.
    result['GOENV'] = env['GOENV'] ?? join(userConfigFolder(home, env['XDG_CONFIG_HOME']), 'go', 'env');
    result['NETRC'] = env['NETRC'] ?? join(home, '.netrc');
    result['GIT_CONFIG_GLOBAL'] = env['GIT_CONFIG_GLOBAL'] ?? join(home, '.gitconfig');
  }
  delete result['XDG_CONFIG_HOME'];
  delete result['XDG_CACHE_HOME'];
  return {
    ...result,
    HOME: goHome(cacheDir),
    GOPATH: join(folder, 'path'),
    GOMODCACHE: join(folder, 'mod'),
    GOCACHE: join(folder, 'build'),
    GOWORK: 'off',
    // Set and not empty, so that neither the caller's flags nor those of `go env -w` change the build.
    GOFLAGS: '-mod=readonly',
    CGO_ENABLED: '0',
  };
}
