import { join } from 'node:path';
import { goFolder } from './layout.ts';
import type { ToolEnvironment } from './types.ts';

function userConfigFolder(env: ToolEnvironment, home: string): string {
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support');
  return env['XDG_CONFIG_HOME'] ?? join(home, '.config');
}

/**
 * The environment for the Go command: the caller's settings (module proxy, checksum database, credentials) stay in force, but
 * everything that Go writes, its telemetry counters included, goes below the cache folder.
 */
export function goEnvironment(cacheDir: string, env: ToolEnvironment): Record<string, string> {
  const folder = goFolder(cacheDir);
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const result: Record<string, string> = Object.fromEntries(given);
  const home = env['HOME'];
  if (home !== undefined) {
    // Settings are found through HOME, which is another one for Go: so they are named one by one.
    result['GOENV'] = env['GOENV'] ?? join(userConfigFolder(env, home), 'go', 'env');
    result['NETRC'] = env['NETRC'] ?? join(home, '.netrc');
    result['GIT_CONFIG_GLOBAL'] = env['GIT_CONFIG_GLOBAL'] ?? join(home, '.gitconfig');
  }
  delete result['XDG_CONFIG_HOME'];
  delete result['XDG_CACHE_HOME'];
  return {
    ...result,
    HOME: join(folder, 'home'),
    GOPATH: join(folder, 'path'),
    GOMODCACHE: join(folder, 'mod'),
    GOCACHE: join(folder, 'build'),
    GOWORK: 'off',
    // Set and not empty, so that neither the caller's flags nor those of `go env -w` change the build.
    GOFLAGS: '-mod=readonly',
    CGO_ENABLED: '0',
  };
}
