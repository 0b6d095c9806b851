/** `ananta worker`. */
import { formatProgress } from '../../../bootstrap/tools/progress.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { helmBinary } from '../shared/components/helm-binary.ts';
import type { CliContext } from '../shared/context.ts';

export interface WorkerOptions {
  env: string;
}

export async function runWorkerHere(context: CliContext, options: WorkerOptions): Promise<void> {
  const { config } = context;
  const environment = await loadEnvironment(options.env, config);
  // Loaded late: the SDK's native part takes a second, and a wrong name should be refused at once.
  const { runWorker } = await import('../../worker.ts');
  await runWorker(
    options.env,
    await helmBinary(await resolveConnections(environment, config), config, (event) => {
      context.terminal.stderr.write(`${formatProgress(event)}\n`);
    }),
  );
}
