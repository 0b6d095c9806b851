import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { describeError } from './errors.ts';
import type { ToolSpec } from './manifest/types.ts';
import { hashFile } from './receipts.ts';
import type { InstalledTool, ToolEnvironment } from './types.ts';
import { askVersion, fits } from './manifest/versions.ts';

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/**
 * All executables of that name on a PATH, in its order. Relative entries are left out: they depend on the current
 * folder.
 */
export async function findExecutables(name: string, path: string | undefined): Promise<string[]> {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const folder of (path ?? '').split(':').filter(isAbsolute)) {
    // Often one entry is a link to another, such as /bin to /usr/bin.
    const real = await realpath(folder).catch(() => folder);
    if (seen.has(real)) continue;
    seen.add(real);
    const candidate = join(folder, name);
    if (await isExecutable(candidate)) found.push(candidate);
  }
  return found;
}

/** The first one on the PATH whose version fits; otherwise what was wrong with those that are there. */
export async function lookUpOnPath(
  spec: ToolSpec,
  cacheDir: string,
  env: ToolEnvironment,
): Promise<{ tool: InstalledTool } | { tool?: undefined; why: string }> {
  if (spec.versionQuery === undefined) return { why: 'not looked for, since it cannot say its version' };
  const { atLeast, below } = spec.accepts;
  const unfit: string[] = [];
  for (const path of await findExecutables(spec.name, env['PATH'])) {
    // A user may have put our own cache on the PATH: that one has a receipt and is found by it.
    if ((await realpath(path)).startsWith(join(cacheDir, 'tools') + sep)) continue;
    try {
      const version = await askVersion(path, spec.versionQuery, env);
      if (fits(version, spec.accepts)) {
        return { tool: { name: spec.name, version, path, source: 'path', sha256: await hashFile(path) } };
      }
      unfit.push(`${path} is ${version}, wanted is ${atLeast} or newer, but below ${below}`);
    } catch (error) {
      unfit.push(`${path} ${describeError(error)}`);
    }
  }
  return { why: unfit.length === 0 ? 'not there' : unfit.join('; ') };
}
