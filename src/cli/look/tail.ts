/** The end of a growing file. */
import { open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';

const CHUNK = 64 * 1024;
const LOOK_EVERY_MS = 300;

/** @returns the last `count` lines, with their line breaks; reads no more of the file than it needs */
export async function lastLines(file: string, count: number): Promise<string> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const chunks: Buffer[] = [];
    let breaks = 0;
    for (let end = size; end > 0 && breaks <= count; ) {
      const start = Math.max(0, end - CHUNK);
      const buffer = Buffer.alloc(end - start);
      await handle.read(buffer, 0, buffer.length, start);
      chunks.unshift(buffer);
      breaks += buffer.reduce((sum, byte) => sum + (byte === 0x0a ? 1 : 0), 0);
      end = start;
    }
    const text = Buffer.concat(chunks).toString('utf8');
    const lines = text.split('\n');
    // A file that ends in a line break has an empty last part.
    const complete = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
    return complete
      .slice(Math.max(0, complete.length - count))
      .map((line) => `${line}\n`)
      .join('');
  } finally {
    await handle.close();
  }
}

/**
 * Passes on what is appended, also after the file was cut or replaced. Ends with the signal, or never.
 * @param onText gets whole characters; more is read when it has ended
 */
export async function followFile(file: string, onText: (text: string) => unknown, signal?: AbortSignal): Promise<void> {
  let { size: at, ino } = await stat(file);
  let decoder = new StringDecoder('utf8');
  const buffer = Buffer.alloc(CHUNK);
  const isOver = (): boolean => signal?.aborted === true;
  while (!isOver()) {
    await sleep(LOOK_EVERY_MS, undefined, signal ? { signal } : {}).catch(() => undefined);
    const now = await stat(file).catch(() => undefined);
    if (!now) continue;
    if (now.ino !== ino || now.size < at) {
      ({ ino, at } = { ino: now.ino, at: 0 });
      decoder = new StringDecoder('utf8');
    }
    if (now.size === at) continue;
    const handle = await open(file);
    try {
      for (let bytesRead = -1; bytesRead !== 0 && !isOver(); ) {
        ({ bytesRead } = await handle.read(buffer, 0, buffer.length, at));
        at += bytesRead;
        const text = decoder.write(buffer.subarray(0, bytesRead));
        if (text !== '') await onText(text);
      }
    } finally {
      await handle.close();
    }
  }
}
