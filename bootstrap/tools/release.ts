import { chmod, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { download, downloadText } from './download.ts';
import { describeError } from './errors.ts';
import { extractMember } from './extract.ts';
import type { Checksum, Release } from './manifest/types.ts';
import type { Network } from './network.ts';
import type { NewProgram } from './receipts.ts';

export interface ReleaseProgress {
  stage: 'downloading' | 'verifying';
  bytes?: number;
  total?: number;
  detail: string;
}

export interface ReleaseOptions {
  network: Network;
  /** Base address of a mirror that is asked instead of the publisher. */
  mirror?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress: (progress: ReleaseProgress) => void;
}

/**
 * The address of a publisher's file on a mirror: the publisher's host and path behind the mirror's base address, so
 * `https://dl.k8s.io/a/b` on `https://mirror.example/tools` is `https://mirror.example/tools/dl.k8s.io/a/b`.
 */
export function mirrored(mirror: string, url: string): string {
  const { host, pathname } = new URL(url);
  return `${mirror.replace(/\/+$/, '')}/${host}${pathname}`;
}

/**
 * The sum for a file in a publisher's list: either `<hex>  <file>` lines, or the bare sum of the one file it is about.
 */
export function findChecksum(list: string, file: string): string | undefined {
  const lines = list
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  for (const line of lines) {
    const match = /^([0-9a-fA-F]{64})\s+[*]?(?:\.\/)?(\S+)$/.exec(line);
    if (match?.[2] === file) return match[1]?.toLowerCase();
  }
  const only = lines.length === 1 ? lines[0] : undefined;
  return only !== undefined && /^[0-9a-fA-F]{64}$/.test(only) ? only.toLowerCase() : undefined;
}

function isTrustedTransport(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || hostname === '127.0.0.1' || hostname === 'localhost' || hostname === '[::1]';
}

/**
 * A mirror could serve a false file and a sum that fits it, so its word is taken only where the publisher cannot be
 * asked.
 */
async function publishedList(url: string, options: ReleaseOptions): Promise<string> {
  try {
    return await downloadText(options.network, url, options.signal);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (options.mirror === undefined) throw error;
    const copy = mirrored(options.mirror, url);
    if (!isTrustedTransport(copy)) {
      throw new Error(
        `no checksum: ${describeError(error)}; the mirror's copy of the list is not taken over plain HTTP`,
      );
    }
    return downloadText(options.network, copy, options.signal);
  }
}

async function expectedSum(checksum: Checksum, file: string, options: ReleaseOptions): Promise<string> {
  if (checksum.kind === 'pinned') return checksum.sha256;
  const sum = findChecksum(await publishedList(checksum.url, options), file);
  if (sum === undefined) throw new Error(`${checksum.url} names no sha256 for ${file}`);
  return sum;
}

/**
 * Downloads a release into the work folder, checks its sha256, and takes the program out of it.
 * @throws Error in readable words: unreachable host, status, cut connection, wrong checksum, unfit archive
 */
export async function fetchRelease(release: Release, workFolder: string, options: ReleaseOptions): Promise<NewProgram> {
  const { network, signal, onProgress } = options;
  const url = options.mirror === undefined ? release.url : mirrored(options.mirror, release.url);
  const { host, pathname } = new URL(url);
  const file = basename(pathname);
  // Its name is the publisher's and must not clash with the program's.
  const archive = join(workFolder, `download-${file}`);
  onProgress({ stage: 'downloading', detail: host });
  const onBytes = (bytes: number, total: number | undefined): void => {
    onProgress({ stage: 'downloading', bytes, ...(total === undefined ? {} : { total }), detail: host });
  };
  const actual = await download(network, url, archive, { signal, onBytes });
  onProgress({
    stage: 'verifying',
    detail: release.checksum.kind === 'pinned' ? 'pinned sha256' : release.checksum.url,
  });
  const expected = await expectedSum(release.checksum, basename(new URL(release.url).pathname), options);
  if (actual !== expected) {
    throw new Error(
      `wrong checksum, nothing was installed: ${url} has the sha256 ${actual}, but ${expected} was expected`,
    );
  }
  const path = join(workFolder, 'program');
  if (release.archive.kind === 'none') await rename(archive, path);
  else await extractMember(archive, release.archive, path);
  await chmod(path, 0o755);
  return { path, source: 'release', origin: url };
}
