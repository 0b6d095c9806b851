/** When cancellation reaches Helm: at once while the request is queued, after a delay while the process runs. */

/**
 * The queue drops an aborted task at once even while it runs, and Helm has to have ended first: so only while it waits.
 */
export function untilItsTurn(signal: AbortSignal | undefined): { signal: AbortSignal; leave: () => void } {
  const waiting = new AbortController();
  const abort = (): void => {
    waiting.abort(signal?.reason);
  };
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  return { signal: waiting.signal, leave: () => signal?.removeEventListener('abort', abort) };
}

/**
 * Helm's requests are cut off when it is asked to end; what the API server has begun for one may then be left behind, a
 * port for example.
 */
export function someTimeAfter(
  signal: AbortSignal | undefined,
  seconds: number,
): { signal: AbortSignal; forget: () => void } {
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
