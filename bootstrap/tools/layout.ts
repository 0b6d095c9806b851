import { join } from 'node:path';
import type { ToolSpec } from './manifest/types.ts';
import type { Platform } from './types.ts';

/** The folder that holds the program and its receipt. */
export function toolFolder(cacheDir: string, spec: ToolSpec, platform: Platform): string {
  return join(cacheDir, 'tools', spec.name, spec.version, platform);
}

/** Holds nothing but locks. */
export function lockFolder(cacheDir: string): string {
  return join(cacheDir, 'locks');
}

/** The lock that whoever installs this tool holds. */
export function toolLock(cacheDir: string, spec: ToolSpec, platform: Platform): string {
  return join(lockFolder(cacheDir), `${spec.name}-${spec.version}-${platform}`);
}

/** Work folders of running installations, one each. */
export function workRoot(cacheDir: string): string {
  return join(cacheDir, 'tmp');
}

/** Go's module and build caches, and what else it writes. */
export function goFolder(cacheDir: string): string {
  return join(cacheDir, 'go');
}

/** The lock that whoever uses Go's caches holds: builds, and the removal of the caches. */
export function goLock(cacheDir: string): string {
  return join(lockFolder(cacheDir), 'go');
}
