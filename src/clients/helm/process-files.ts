/** The files that a Helm process reads and writes in place of pipes: it outlives the worker that has started it. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { namingFile, privateFolder } from '../../process/files.ts';

const OUTPUT_TAIL = 64 * 1024;
const LOG_LIMIT = 4 * 1024 * 1024;

export interface ProcessFiles {
  /** Complete, and without a name while it has content: values cut off in the middle would be valid YAML. */
  input: FileHandle;
  /** Standard output and error are appended here; a pipe would break under Helm when the worker dies. */
  log: FileHandle;
  /** @returns the end of what this process has written */
  output(): Promise<string>;
  close(): Promise<void>;
}

/**
 * @param folder for the input's file
 * @param values what the process reads
 * @param logFile of all processes on the release
 * @param headline first line of this process's part of the log
 */
export async function openProcessFiles(
  folder: string,
  values: string,
  logFile: string,
  headline: string,
): Promise<ProcessFiles> {
  const input = await inputOf(folder, values);
  const log = await openLog(logFile, headline).catch(async (error: unknown) => {
    await input.close();
    throw error;
  });
  return {
    input,
    log: log.file,
    output: () => readFrom(logFile, log.offset),
    close: async () => {
      await Promise.all([input.close(), log.file.close()]);
    },
  };
}

/** The library takes any descriptor, its types name only those up to 9. */
export function descriptor(file: FileHandle): 3 {
  return file.fd as 3;
}

async function inputOf(folder: string, content: string): Promise<FileHandle> {
  await privateFolder(folder);
  const path = join(folder, `${randomUUID()}.in`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  // A positional write leaves the file's own position at the beginning, where the child reads.
  const bytes = Buffer.from(content);
  try {
    for (let done = 0; done < bytes.length; )
      done += (await file.write(bytes, done, bytes.length - done, done)).bytesWritten;
  } catch (error) {
    await file.close();
    throw namingFile(error, folder);
  }
  return file;
}

async function openLog(path: string, headline: string): Promise<{ file: FileHandle; offset: number }> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_LIMIT) await rename(path, `${path}.1`);
  const file = await open(path, 'a', 0o600);
  try {
    await file.write(`${headline}\n`);
  } catch (error) {
    await file.close();
    throw namingFile(error, path);
  }
  return { file, offset: (await file.stat()).size };
}

async function readFrom(path: string, offset: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(offset, size - OUTPUT_TAIL);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(Math.max(0, size - start)),
      0,
      Math.max(0, size - start),
      start,
    );
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
