/** A tar that is written without knowing how much will follow, and read from its front to its end without unpacking. */
import { Readable } from 'node:stream';
import { Header } from 'tar';

const BLOCK_BYTES = 512;

export interface WrittenEntry {
  path: string;
  /** In memory while it is written: what is large comes as several entries. */
  content: Buffer;
}

export interface ReadEntry {
  path: string;
  bytes: number;
  /** To be read before the next entry is asked for; what is left of it is skipped. */
  content: AsyncIterable<Buffer>;
}

export function tarOf(entries: AsyncIterable<WrittenEntry>, mtime: Date): Readable {
  return Readable.from(blocksOf(entries, mtime), { objectMode: false });
}

async function* blocksOf(entries: AsyncIterable<WrittenEntry>, mtime: Date): AsyncGenerator<Buffer> {
  for await (const { path, content } of entries) {
    const block = Buffer.alloc(BLOCK_BYTES);
    const header = new Header({ path, mode: 0o600, size: content.length, type: 'File', mtime });
    if (header.encode(block)) throw new Error(`${path} is too long a name for an entry of a tar`);
    yield block;
    if (content.length > 0) yield content;
    const rest = content.length % BLOCK_BYTES;
    if (rest > 0) yield Buffer.alloc(BLOCK_BYTES - rest);
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

/** @throws Error when it is no tar, or ends early */
export async function* readTar(tar: AsyncIterable<Uint8Array>): AsyncGenerator<ReadEntry> {
  const source = sourceOf(tar);
  for (;;) {
    const header = new Header(await source.exactly(BLOCK_BYTES));
    if (header.nullBlock) break;
    if (!header.cksumValid || header.path === undefined) throw new Error('it is damaged: an entry has no header');
    const bytes = header.size ?? 0;
    let left = bytes;
    const content = (async function* (): AsyncGenerator<Buffer> {
      while (left > 0) {
        const chunk = await source.some(left);
        left -= chunk.length;
        yield chunk;
      }
    })();
    if (header.type === 'File' || header.type === 'OldFile') yield { path: header.path, bytes, content };
    while (left > 0) left -= (await source.some(left)).length;
    await source.exactly((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES);
  }
  // To the very end: what comes last proves that nothing of it is missing.
  await source.drain();
}

interface Source {
  exactly(bytes: number): Promise<Buffer>;
  /** At least one byte, at most so many. */
  some(most: number): Promise<Buffer>;
  drain(): Promise<void>;
}

function sourceOf(bytes: AsyncIterable<Uint8Array>): Source {
  const chunks = bytes[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);
  const some = async (most: number): Promise<Buffer> => {
    while (rest.length === 0) {
      const next = await chunks.next();
      if (next.done) throw new Error('it ends in the middle');
      rest = Buffer.from(next.value);
    }
    const taken = rest.subarray(0, most);
    rest = rest.subarray(taken.length);
    return taken;
  };
  return {
    some,
    exactly: async (wanted) => {
      const parts: Buffer[] = [];
      for (let left = wanted; left > 0; ) {
        const part = await some(left);
        parts.push(part);
        left -= part.length;
      }
      return Buffer.concat(parts);
    },
    drain: async () => {
      while (!(await chunks.next()).done);
    },
  };
}
