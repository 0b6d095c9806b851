/** Ctrl-C and its relatives end the watching, never the deployment. */

export interface Interrupts {
  /** Aborted by the first signal, with its name as the reason. */
  signal: AbortSignal;
  /** Gives the signals back to Node. */
  dispose: () => void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listens from now on; a second signal ends this process at once, as people expect of a program that does not react. */
export function watchInterrupts(): Interrupts {
  const controller = new AbortController();
  const listeners = SIGNALS.map((name) => {
    const listener = (): void => {
      if (controller.signal.aborted) process.kill(process.pid, 'SIGKILL');
      controller.abort(name);
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
 * The work's result, unless the signal comes first.
 * @throws the signal's reason; the work is then left to itself
 */
export function unlessInterrupted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Interrupted(String(signal.reason)));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** The message is the name of the signal. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}
