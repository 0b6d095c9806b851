/** A folder: of this machine, of a network's file system, or of a claim that is mounted there. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Config } from '../../../config.ts';
import type { Environment } from '../../../environment/schema.ts';
import { syncFolder } from '../../../process/files.ts';
import { counted, runningSum, sumOfFile } from '../sum.ts';
import { type BackupPlace, type KeptFile, LEFT_MILLISECONDS } from './types.ts';

/** The name is unique to one attempt: another one, of a worker that was cut off, may still write. */
const PARTIAL = /\.[0-9a-f]{8}\.partial$/;

/** Whose files those of a folder are, as seen from here. */
export function localKeeper({ backup }: Pick<Environment, 'backup'>, { pod }: Pick<Config, 'pod'>): string {
  return pod !== undefined && backup?.claim !== undefined ? `claim ${backup.claim}` : hostname();
}

/** Files of mode 0600. One that is killed leaves a file with the ending `.partial`. */
export function folderPlace(folder: string, keeper = hostname()): BackupPlace {
  const entries = async (): Promise<KeptFile[]> => {
    const names = await readdir(folder);
    const found = await Promise.all(
      names.map(async (name): Promise<KeptFile[]> => {
        const seen = await stat(join(folder, name)).catch(() => undefined);
        return seen?.isFile() === true ? [{ name, bytes: seen.size, modified: seen.mtimeMs }] : [];
      }),
    );
    return found.flat();
  };
  return {
    where: folder,
    keeper,
    locationOf: (name) => join(folder, name),
    async write(name, content, signal) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const partial = join(folder, `${name}.${randomUUID().slice(0, 8)}.partial`);
      const file = await open(partial, 'wx', 0o600);
      const running = runningSum();
      try {
        await pipeline(
          await content(),
          async (chunks: AsyncIterable<Uint8Array>) => {
            for await (const chunk of counted(chunks, running)) await file.writeFile(chunk);
          },
          signal ? { signal } : {},
        );
        await file.sync();
      } catch (error) {
        await file.close();
        await rm(partial, { force: true });
        throw error;
      }
      await file.close();
      const sum = running.total();
      const written = await sumOfFile(partial);
      if (written.sha256 !== sum.sha256)
        throw new Error(`${partial} does not hold what was written to it: look at the disk behind it`);
      await rename(partial, join(folder, name));
      await syncFolder(folder);
      return sum;
    },
    list: async () => (await entries()).filter(({ name }) => !PARTIAL.test(name)),
    remove: (name) => removeFile(join(folder, name)),
    async sweep(isOurs) {
      const left = (await entries()).filter(
        ({ name, modified }) =>
          PARTIAL.test(name) && isOurs(name.replace(PARTIAL, '')) && modified < Date.now() - LEFT_MILLISECONDS,
      );
      await Promise.all(left.map(({ name }) => rm(join(folder, name), { force: true })));
      return left.length;
    },
  };
}

/** @returns whether it was there */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await rm(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
