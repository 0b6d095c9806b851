/** One command at a time starts or stops the components of an environment. */
import { join } from 'node:path';
import type { Layout } from './layout.ts';
import { withLock } from './process/lock.ts';
import type { Report } from './report.ts';

/** @param report called when it waits for another process */
export function withComponentsLock<T>(
  layout: Layout,
  report: Report,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const onWait = ({ pid }: { pid: number }): void => {
    report({ kind: 'note', message: `Waiting for process ${pid}, which starts or stops this environment.` });
  };
  return withLock(join(layout.run, 'up.lock'), { signal, onWait }, work);
}
