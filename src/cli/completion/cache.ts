/** Answers are kept until what they are made from changes: a shell waits for them at every press of the key. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config.ts';

type Where = Pick<Config, 'cacheDir' | 'repoRoot' | 'environmentsDir'>;

/** @param name of what is kept; @param sources folders and files that it is made from */
export async function cached<T>(
  where: Where,
  name: string,
  sources: readonly string[],
  make: () => Promise<T>,
): Promise<T> {
  const key = stampOf(sources);
  const kept = readKept(where, name) as { key?: string; value: T } | undefined;
  if (kept?.key === key) return kept.value;
  const value = await make();
  keep(where, name, { key, value });
  return value;
}

/** @returns undefined where nothing is kept, or it cannot be read */
export function readKept(where: Where, name: string): unknown {
  try {
    return JSON.parse(readFileSync(fileOf(where, name), 'utf8'));
  } catch {
    return undefined;
  }
}

/** A cache that cannot be written is ignored. */
export function keep(where: Where, name: string, content: unknown): void {
  const file = fileOf(where, name);
  try {
    mkdirSync(join(file, '..'), { recursive: true });
    // Two shells may ask at once.
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(content));
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    return;
  }
}

function fileOf({ cacheDir, repoRoot, environmentsDir }: Where, name: string): string {
  const place = createHash('sha256').update(`${repoRoot}\0${environmentsDir}`).digest('hex').slice(0, 12);
  return join(cacheDir, 'completion', place, `${name}.json`);
}

/** Changes whenever a file below has been written, added or removed. */
function stampOf(sources: readonly string[]): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    const found = statSync(path, { throwIfNoEntry: false });
    hash.update(`${path}\0${found?.mtimeMs ?? ''}\0${found?.size ?? ''}\0`);
    if (found?.isDirectory()) for (const entry of readdirSync(path).sort()) add(join(path, entry));
  };
  for (const source of sources) add(source);
  return hash.digest('hex');
}
