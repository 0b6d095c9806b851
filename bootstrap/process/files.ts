/** Small state files. They are written atomically; a damaged one is read as if it were missing. */
import { readFile } from 'node:fs/promises';

export { privateFolder, writeFileDurably } from '../../src/process/files.ts';

/** @returns undefined when there is no such file */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/**
 * @returns undefined when there is no such file or it is not JSON: state that can be made again is not worth an error.
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function isErrorCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes(String((error as NodeJS.ErrnoException | undefined)?.code));
}
