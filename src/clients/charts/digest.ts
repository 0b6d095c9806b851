import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** @returns `sha256:…` of the file. @throws the error of reading it */
export async function fileDigest(path: string): Promise<string> {
  return `sha256:${createHash('sha256')
    .update(await readFile(path))
    .digest('hex')}`;
}
