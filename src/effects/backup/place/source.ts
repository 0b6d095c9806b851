/** What is read back: a file here, or an object of a bucket. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';

export interface KeptSource {
  /** For messages. */
  location: string;
  /** Anew each time. @throws Error with code ENOENT where there is no such thing, here or while it is read */
  open(): Readable | Promise<Readable>;
}

/** @param file path of a file */
export function sourceOf(file: string | KeptSource): KeptSource {
  return typeof file === 'string' ? { location: file, open: () => createReadStream(file) } : file;
}
