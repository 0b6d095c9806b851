/** `ananta worker`. */
import { loadEnvironment } from '../environment/load.ts';
import type { WorkerOptions } from './commands/worker.ts';
import type { CliContext } from './context.ts';

export async function runWorkerHere(context: CliContext, options: WorkerOptions): Promise<void> {
  await loadEnvironment(options.env, context.config);
  // Loaded late: the SDK's native part takes a second, and a wrong name should be told at once.
  const { runWorker } = await import('../worker.ts');
  await runWorker(options.env);
}
