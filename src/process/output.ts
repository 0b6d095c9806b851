/**
 * Standard output and error of a program that ends itself. A pipe takes 64 KiB; what it has not taken yet is lost when
 * the process ends.
 */
import { setImmediate } from 'node:timers/promises';

/** Resolves once the reader has everything, or there is no reader any more. */
export async function outputWritten(): Promise<void> {
  await Promise.all([process.stdout, process.stderr].map(emptied));
  // The error arrives in a later turn of the event loop.
  await setImmediate();
}

function emptied(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || !(stream.writableLength > 0)) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('error', () => resolve());
    stream.once('close', () => resolve());
    stream.write('', () => resolve());
  });
}

/**
 * A reader of standard output that has seen enough (`… | head`) ends the command, without a word, but never one that is
 * half-way through a change of its own. An output that cannot be written (a full disk) is a failure. Without standard
 * error a command goes on: its answer is elsewhere.
 * @param code exit code when the reader went away; undefined: the command goes on without a reader
 */
export function watchOutput(code: () => number | undefined, failed: number): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'EIO' || error.code === 'ERR_STREAM_DESTROYED') {
      const exitCode = code();
      if (exitCode !== undefined) process.exit(exitCode);
      return;
    }
    process.stderr.write(`The output cannot be written: ${error.message}\n`);
    process.exit(failed);
  });
  process.stderr.on('error', () => undefined);
}
