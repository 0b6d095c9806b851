import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { describeError } from './errors.ts';
import { toolFolder } from './layout.ts';
import type { ToolSpec } from './manifest/types.ts';
import type { InstalledTool, Platform } from './types.ts';

const receiptSchema = z.object({
  name: z.string(),
  version: z.string(),
  source: z.enum(['release', 'build']),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Bytes and modification time of the program when its hash was last checked. */
  size: z.number().int().optional(),
  mtimeMs: z.number().optional(),
  /** The address it was downloaded from, or the Go package it was built from. */
  origin: z.string().optional(),
  installedAt: z.string(),
});

/** The receipt that is written beside an installed program. */
export type Receipt = z.infer<typeof receiptSchema>;

/** The sha256 of a file, lower-case hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** The receipt in a tool's folder; undefined when there is none or it cannot be read. */
export async function readReceipt(folder: string): Promise<Receipt | undefined> {
  const text = await readFile(join(folder, 'receipt.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return receiptSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** After a power cut a renamed file may otherwise be there under its new name with no content. */
async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** `absent`: nothing there. `damaged`: something is, but it is not what was installed. */
export type CacheLookup =
  | { state: 'found'; tool: InstalledTool }
  | { state: 'absent' }
  | { state: 'damaged'; why: string };

/**
 * Looks the pinned version up in the cache. The program is hashed again only when its size or time differs from the
 * receipt's; a match is then noted, so that a copied cache is hashed once.
 */
export async function lookUpCached(cacheDir: string, spec: ToolSpec, platform: Platform): Promise<CacheLookup> {
  const folder = toolFolder(cacheDir, spec, platform);
  const path = join(folder, spec.name);
  const program = await stat(path).catch(() => undefined);
  if (program === undefined) return { state: 'absent' };
  const receipt = await readReceipt(folder);
  if (receipt === undefined) return { state: 'damaged', why: 'its receipt is missing or unreadable' };
  const found: CacheLookup = {
    state: 'found',
    tool: { name: spec.name, version: spec.version, path, source: 'cache', sha256: receipt.sha256 },
  };
  if (receipt.size === program.size && receipt.mtimeMs === program.mtimeMs) return found;
  const sha256 = await hashFile(path);
  if (sha256 !== receipt.sha256)
    return { state: 'damaged', why: `its sha256 is ${sha256}, not ${receipt.sha256} as when it was installed` };
  // Only a shortcut for next time: a cache that cannot be written to is still good.
  await replaceReceipt(folder, { ...receipt, size: program.size, mtimeMs: program.mtimeMs }).catch(() => undefined);
  return found;
}

async function replaceReceipt(folder: string, receipt: Receipt): Promise<void> {
  const draft = join(folder, `receipt.json.${process.pid}`);
  await writeFile(draft, `${JSON.stringify(receipt, null, 2)}\n`);
  await rename(draft, join(folder, 'receipt.json'));
}

/** What is known about a program that was just downloaded or built. */
export interface NewProgram {
  /** In the work folder, on the same file system as the cache. */
  path: string;
  source: 'release' | 'build';
  origin: string;
}

/**
 * Moves a checked program and its receipt into the cache in one step: a reader finds all of it or nothing. The caller
 * holds the tool's lock.
 */
export async function installProgram(
  cacheDir: string,
  spec: ToolSpec,
  platform: Platform,
  workFolder: string,
  program: NewProgram,
): Promise<InstalledTool> {
  const stage = join(workFolder, 'stage');
  await mkdir(stage);
  const staged = join(stage, spec.name);
  await rename(program.path, staged);
  await chmod(staged, 0o755);
  await syncPath(staged);
  const sha256 = await hashFile(staged);
  const { size, mtimeMs } = await stat(staged);
  const { source, origin } = program;
  const receipt: Receipt = {
    name: spec.name,
    version: spec.version,
    source,
    sha256,
    size,
    mtimeMs,
    origin,
    installedAt: new Date().toISOString(),
  };
  await writeSynced(join(stage, 'receipt.json'), `${JSON.stringify(receipt, null, 2)}\n`);
  await syncPath(stage);

  const folder = toolFolder(cacheDir, spec, platform);
  await mkdir(dirname(folder), { recursive: true });
  // A damaged one moves aside first; a process that still runs it keeps its file.
  await rename(folder, join(workFolder, 'damaged')).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new Error(`cannot replace ${folder}: ${describeError(error)}`);
  });
  await rename(stage, folder);
  await syncPath(dirname(folder));
  await rm(join(workFolder, 'damaged'), { recursive: true, force: true });
  return { name: spec.name, version: spec.version, path: join(folder, spec.name), source, sha256 };
}
