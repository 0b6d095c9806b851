import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from './errors.ts';
import { HostUnreachableError, HttpStatusError } from './network.ts';
import type { Network } from './network.ts';

/** Larger than any tool by far; ends a server that never stops. */
const MAX_BYTES = 1 << 30;
const MAX_TEXT_BYTES = 1 << 20;
const ATTEMPTS = 2;

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  /** Called for each piece with the bytes so far and the announced size, if there is one. */
  onBytes?: ((bytes: number, total: number | undefined) => void) | undefined;
}

async function* pieces(response: IncomingMessage, silence: number, limit: number): AsyncGenerator<Buffer> {
  const total = Number(response.headers['content-length'] ?? Number.NaN);
  let bytes = 0;
  const timer = setTimeout(() => response.destroy(new Error(`nothing more came for ${silence / 1000} s`)), silence);
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      timer.refresh();
      bytes += piece.length;
      if (bytes > limit) throw new Error(`more than ${limit} bytes`);
      yield piece;
    }
  } catch (error) {
    throw new Error(
      `the connection was cut after ${bytes}${Number.isNaN(total) ? '' : ` of ${total}`} bytes: ${describeError(error)}`,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Only a cut connection is tried again; a refusal, or a server that cannot be reached, is final. */
function worthRepeating(error: unknown): boolean {
  if (error instanceof HostUnreachableError) return false;
  return !(error instanceof HttpStatusError) || error.status === 429 || error.status >= 500;
}

async function repeated<T>(network: Network, signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (count === ATTEMPTS || !worthRepeating(error)) throw error;
      await sleep(network.timeouts.pause, undefined, signal === undefined ? {} : { signal });
    }
  }
}

/**
 * Downloads a file, once more if the connection is cut.
 * @returns the sha256 of what was written, lower-case hex
 */
export function download(
  network: Network,
  url: string,
  destination: string,
  options: DownloadOptions = {},
): Promise<string> {
  return repeated(network, options.signal, async () => {
    const response = await network.get(url, options.signal);
    const announced = Number(response.headers['content-length'] ?? Number.NaN);
    const total = Number.isNaN(announced) ? undefined : announced;
    const hash = createHash('sha256');
    let bytes = 0;
    await pipeline(
      async function* () {
        for await (const piece of pieces(response, network.timeouts.silence, MAX_BYTES)) {
          bytes += piece.length;
          hash.update(piece);
          options.onBytes?.(bytes, total);
          yield piece;
        }
      },
      createWriteStream(destination, { mode: 0o600 }),
      options.signal === undefined ? {} : { signal: options.signal },
    );
    return hash.digest('hex');
  });
}

/** Fetches a small text, such as a list of checksums. */
export function downloadText(network: Network, url: string, signal?: AbortSignal): Promise<string> {
  return repeated(network, signal, async () => {
    const response = await network.get(url, signal);
    const all: Buffer[] = [];
    for await (const piece of pieces(response, network.timeouts.silence, MAX_TEXT_BYTES)) all.push(piece);
    return Buffer.concat(all).toString('utf8');
  });
}
