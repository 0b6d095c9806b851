/** For commands that say something to the operation that holds the lock. */
import type { Client } from '@temporalio/client';
import { closeTemporal, latestDeployment } from '../../clients/temporal/index.ts';
import { lockHolderOf } from '../../clients/temporal/lock.ts';
import type { LockHolder } from '../../contract/lock.ts';
import type { Connections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import { openEngine } from '../deploy/engine.ts';
import { watchInterrupts } from '../deploy/interrupt.ts';
import { ensureLocalStackAgain } from '../deploy/local-stack.ts';
import { createProgressRenderer } from '../render/renderers.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';

export interface Held {
  client: Client;
  environment: Environment;
  connections: Connections;
  /** Absent: the lock is free. */
  holder?: LockHolder;
  signal: AbortSignal;
}

/** Progress of what is started for it goes to standard error. */
export async function withHolder(
  context: CliContext,
  env: string,
  work: (held: Held) => Promise<ExitCode>,
): Promise<ExitCode> {
  const environment = await loadEnvironment(env, context.config);
  const renderer = createProgressRenderer(context.terminal, env);
  const { signal, dispose } = watchInterrupts();
  try {
    const connections = await ensureLocalStackAgain({ context, environment, renderer, interrupted: signal });
    const client = await openEngine(environment, connections);
    try {
      const latest = await latestDeployment(client, env);
      const holder = latest && (await lockHolderOf(client, latest.workflowId));
      return await work({ client, environment, connections, ...(holder ? { holder } : {}), signal });
    } finally {
      await closeTemporal(client).catch(() => undefined);
    }
  } finally {
    renderer.close();
    dispose();
  }
}
