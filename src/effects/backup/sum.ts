/** Size and sum of what goes by. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

export interface Sum {
  bytes: number;
  sha256: string;
}

export interface RunningSum {
  add(chunk: Uint8Array): void;
  /** To be asked once, at the end. */
  total(): Sum;
}

export function runningSum(): RunningSum {
  const hash = createHash('sha256');
  let bytes = 0;
  return {
    add: (chunk) => {
      hash.update(chunk);
      bytes += chunk.length;
    },
    total: () => ({ bytes, sha256: hash.digest('hex') }),
  };
}

/** The source as it is; each piece is added to the sum on its way. */
export async function* counted<Chunk extends Uint8Array>(
  source: AsyncIterable<Chunk>,
  sum: RunningSum,
): AsyncGenerator<Chunk> {
  for await (const chunk of source) {
    sum.add(chunk);
    yield chunk;
  }
}

export function sumOf(content: string | Buffer): Sum {
  return { bytes: Buffer.byteLength(content), sha256: createHash('sha256').update(content).digest('hex') };
}

/** Reads it to its end, and keeps nothing of it. */
export async function sumOfStream(source: AsyncIterable<Uint8Array>): Promise<Sum> {
  const sum = runningSum();
  for await (const chunk of source) sum.add(chunk);
  return sum.total();
}

export function sumOfFile(path: string): Promise<Sum> {
  return sumOfStream(createReadStream(path) as AsyncIterable<Buffer>);
}
