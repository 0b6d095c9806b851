/** Requests to Vault whose body, one way or the other, is too large for memory: its snapshots. */
import type http from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { VaultUnreachableError } from './errors.ts';

export interface StreamedRequest {
  method: string;
  /** With the leading slash. */
  path: string;
  headers: Record<string, string>;
  body?: Readable | undefined;
  signal?: AbortSignal | undefined;
}

export interface StreamedAnswer {
  status: number;
  /** Has to be read to its end, or destroyed. It fails when the connection ends before the answer does. */
  body: Readable;
}

/** While bytes move it may take as long as it takes; Vault sorts what was uploaded before it answers. */
const STANDSTILL_SECONDS = 60;

/**
 * @param begin opens the request, and sends nothing yet
 * @throws VaultUnreachableError, or the signal's reason
 */
export function streamed(
  { method, path, body, signal }: StreamedRequest,
  begin: () => http.ClientRequest,
): Promise<StreamedAnswer> {
  signal?.throwIfAborted();
  const outgoing = begin();
  const timer = setTimeout(
    () => outgoing.destroy(new Error(`nothing has moved for ${STANDSTILL_SECONDS} s`)),
    STANDSTILL_SECONDS * 1000,
  );
  const counting = (): Transform =>
    new Transform({
      transform: (chunk, _encoding, done) => {
        timer.refresh();
        done(null, chunk);
      },
    });
  const abort = (): void => {
    outgoing.destroy(signal?.reason as Error);
  };
  signal?.addEventListener('abort', abort, { once: true });
  const settle = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  };
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      settle();
      if (signal?.aborted) reject(signal.reason as Error);
      else if (error instanceof VaultUnreachableError) reject(error);
      else
        reject(
          new VaultUnreachableError(
            `Vault, ${method} ${path}: ${error instanceof Error ? error.message : String(error)}`,
            { cause: error },
          ),
        );
    };
    outgoing.once('response', (answer) => {
      const readable = counting();
      // Errors while the body is transferred are thrown to its reader.
      pipeline(answer, readable)
        .catch(() => undefined)
        .finally(settle);
      resolve({ status: answer.statusCode ?? 0, body: readable });
    });
    outgoing.once('error', fail);
    if (body === undefined) outgoing.end();
    else pipeline(body, counting(), outgoing).catch(fail);
  });
}
