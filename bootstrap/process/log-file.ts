/** Log files of daemons: private, and bounded at each start. */
import { mkdir, open, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrorCode } from './files.ts';

/** A log that has grown beyond this is moved to `<name>.1` before the daemon starts again. */
const ROTATE_ABOVE_BYTES = 8 * 1024 * 1024;

/** Opens the log for appending, for nobody but the user. */
export async function openLog(path: string, rotateAbove = ROTATE_ABOVE_BYTES): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const size = await stat(path).then(
    (found) => found.size,
    (error: unknown) => {
      if (isErrorCode(error, 'ENOENT')) return 0;
      throw error;
    },
  );
  if (size > rotateAbove) await rename(path, `${path}.1`);
  const handle = await open(path, 'a', 0o600);
  await handle.chmod(0o600);
  return handle;
}

/** The last lines of a log, for an error message; empty when there is none. */
export async function logTail(path: string, lines = 12): Promise<string[]> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 16 * 1024);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .slice(-lines);
  } finally {
    await handle.close();
  }
}
