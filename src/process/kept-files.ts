/** Folders used as caches, a file for each content, with a limit on how many files they keep. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A platform that uses more than a quarter of the files that a folder may have gets a larger one: see `tidied`. */
const TIMES_USED = 4;

/**
 * Makes the folder where there is none. When it holds more than `most` files, or four times what is used now where that
 * is more, all go but those that are used: however many services a platform has, what it kept is there the next time.
 * @param used names of the files that are used now, there or not
 * @returns the names that are there
 */
export async function tidied(folder: string, used: ReadonlySet<string>, most: number): Promise<Set<string>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const names = new Set(await readdir(folder));
  if (names.size <= Math.max(most, TIMES_USED * used.size)) return names;
  for (const name of [...names].filter((one) => !used.has(one))) {
    await rm(join(folder, name), { recursive: true, force: true });
    names.delete(name);
  }
  return names;
}
