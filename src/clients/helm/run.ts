/** One Helm process, from its start to its end. */
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { execa } from 'execa';
import { privateFolder } from '../../process/files.ts';
import { GRACE_SECONDS, guarded, limitSeconds, TIMED_OUT } from './bounded.ts';

export interface HelmRun {
  args: readonly string[];
  /** Goes to standard input. */
  values: string;
  env: Record<string, string>;
  /** Standard output and error are appended here; a pipe would break under Helm when the worker dies. */
  logFile: string;
  /** First line of this run's part of the log. */
  headline: string;
  /** For the file behind standard input, which never has a name while it has content. */
  runFolder: string;
  timeoutSeconds: number;
  /** Once `signal` has fired, Helm may come to its own end for so long before it is asked to. */
  finishSeconds: number;
  signal?: AbortSignal | undefined;
  onStart?: (pid: number) => Promise<void> | void;
}

export interface HelmOutcome {
  exitCode: number | undefined;
  /** The end of what this run wrote. */
  output: string;
  pid: number | undefined;
  timedOut: boolean;
  /** It was asked to end because `signal` fired. */
  cancelled: boolean;
  /** Signal that ended it from outside. */
  killedBy: string | undefined;
  /** It could not even be started. */
  startError: string | undefined;
}

/** The guard has killed Helm before it is killed itself. */
const GUARD_SECONDS = GRACE_SECONDS + 5;
const OUTPUT_TAIL = 64 * 1024;
const LOG_LIMIT = 4 * 1024 * 1024;

/** Never throws for what Helm does; cancellation is reported only after the process has really ended. */
export async function runHelm(binary: string, run: HelmRun): Promise<HelmOutcome> {
  const [input, log] = await Promise.all([inputOf(run.runFolder, run.values), openLog(run.logFile, run.headline)]);
  const ending = someTimeAfter(run.signal, run.finishSeconds);
  let pid: number | undefined;
  try {
    const [guard, ...prefix] = await guarded(run.env['PATH'] ?? '', limitSeconds(run.timeoutSeconds), GRACE_SECONDS);
    const child = execa(guard, [...prefix, binary, ...run.args], {
      env: run.env,
      extendEnv: false,
      // A session of its own: Ctrl-C in a worker's terminal is for the worker, which gives Helm its time, and a Helm
      // whose worker was killed finishes what it began.
      detached: true,
      stdin: descriptor(input),
      stdout: descriptor(log.file),
      stderr: descriptor(log.file),
      reject: false,
      timeout: run.timeoutSeconds * 1000,
      killSignal: 'SIGTERM',
      forceKillAfterDelay: GUARD_SECONDS * 1000,
      cancelSignal: ending.signal,
    });
    pid = child.pid;
    if (pid !== undefined) await run.onStart?.(pid);
    const result = await child;
    return {
      exitCode: result.exitCode,
      pid,
      timedOut: result.timedOut || result.exitCode === TIMED_OUT,
      cancelled: result.isCanceled,
      killedBy: result.signal,
      startError: pid === undefined ? (result.originalMessage ?? 'cannot be started') : undefined,
      output: await readFrom(run.logFile, log.offset),
    };
  } finally {
    ending.forget();
    await Promise.all([input.close(), log.file.close()]);
  }
}

/**
 * Helm's requests are cut off when it is asked to end; what the API server has begun for one may then be left behind, a
 * port for example.
 */
function someTimeAfter(signal: AbortSignal | undefined, seconds: number): { signal: AbortSignal; forget: () => void } {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => {
      ending.abort(signal?.reason);
    }, seconds * 1000);
  };
  if (signal?.aborted) start();
  else signal?.addEventListener('abort', start, { once: true });
  return {
    signal: ending.signal,
    forget: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', start);
    },
  };
}

/** The library takes any descriptor, its types name only those up to 9. */
function descriptor(file: FileHandle): 3 {
  return file.fd as 3;
}

/** Values cut off in the middle would be valid YAML, so they are complete before Helm starts, and in no one's reach. */
async function inputOf(folder: string, content: string): Promise<FileHandle> {
  await privateFolder(folder);
  const path = join(folder, `${randomUUID()}.in`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  // A positional write leaves the file's own position at the beginning, where the child reads.
  const bytes = Buffer.from(content);
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, done)).bytesWritten;
  return file;
}

async function openLog(path: string, headline: string): Promise<{ file: FileHandle; offset: number }> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_LIMIT) await rename(path, `${path}.1`);
  const file = await open(path, 'a', 0o600);
  await file.write(`${headline}\n`);
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
