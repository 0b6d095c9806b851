/** SIGINT, SIGTERM and SIGHUP end the watching, never the deployment. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { EXIT_CODES } from '../../contract/failures.ts';

/** The message is the name of the signal. */
export class Interrupted extends AnantaError {
  override name = 'Interrupted';
  override readonly exitCode = EXIT_CODES.cancelled;
  override readonly next: readonly NextStep[] = [{ command: 'again', why: 'goes on' }];

  override explain(): string {
    return `Interrupted (${this.message}). What had been started on this machine keeps running; nothing else was begun.`;
  }
}

export interface Interrupts {
  /** Aborted by the first signal, with an Interrupted as the reason. */
  signal: AbortSignal;
  /** Gives the signals back to Node. */
  dispose: () => void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One Ctrl-C reaches this process twice when both the terminal and npm send it. */
const SAME_PRESS_MS = 500;

/**
 * Listens from now on; a second signal ends this process at once, as people expect of a program that does not react.
 */
export function watchInterrupts(): Interrupts {
  const controller = new AbortController();
  let first = 0;
  const listeners = SIGNALS.map((name) => {
    const listener = (): void => {
      if (!controller.signal.aborted) first = performance.now();
      else if (performance.now() - first > SAME_PRESS_MS) process.kill(process.pid, 'SIGKILL');
      controller.abort(new Interrupted(name));
    };
    process.on(name, listener);
    return [name, listener] as const;
  });
  return {
    signal: controller.signal,
    dispose() {
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}

/**
 * The work's result. When the signal comes first the work, which knows the signal too, gets a moment to end in order.
 * @throws what the work throws; the signal's reason, also when the work was done all the same
 */
export async function unlessInterrupted<T>(signal: AbortSignal, work: Promise<T>, graceMs = 3000): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () =>
      void Promise.race([work.catch(() => undefined), sleep(graceMs)]).finally(() => reject(signal.reason as Error));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    const result = await Promise.race([
      work.catch((error: unknown) => {
        // Whatever fails because of the signal fails for that reason.
        throw signal.aborted ? signal.reason : error;
      }),
      aborted,
    ]);
    signal.throwIfAborted();
    return result;
  } finally {
    signal.removeEventListener('abort', onAbort);
    aborted.catch(() => undefined);
  }
}
