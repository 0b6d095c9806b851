/** What a deployment stands on: embedded parts are started, external ones are taken as they are. */
import { type Connections, readRuntime, resolveConnections } from '../../environment/connections.ts';
import { hasEmbeddedParts } from './embedded.ts';
import { unlessInterrupted } from './interrupt.ts';
import type { Session } from './session.ts';
import { setupLine } from '../render/setup.ts';

/**
 * Starts what is embedded and not running yet, with progress.
 * @throws ToolsUnavailableError; Interrupted when a signal comes first
 */
export async function standUp({ context, environment, renderer, interrupted }: Pick<Session, 'context' | 'environment' | 'renderer' | 'interrupted'>): Promise<Connections> {
  if (hasEmbeddedParts(environment)) {
    // Loaded late: an external environment needs nothing of it.
    const { up } = await import('../../../bootstrap/index.ts');
    await unlessInterrupted(interrupted, up(environment, context.config, (event) => renderer.setup(setupLine(event))));
  }
  return resolveConnections(environment, context.config);
}

/**
 * The same for commands that look at what is there: an environment that was never started stays so.
 * @throws NotRunningError
 */
export async function standUpAgain(session: Pick<Session, 'context' | 'environment' | 'renderer' | 'interrupted'>): Promise<Connections> {
  const started = await readRuntime(session.context.config, session.environment.name);
  return started ? standUp(session) : resolveConnections(session.environment, session.context.config);
}

/** Runs the work; while it runs, embedded components that die are started again. */
export async function supervised<T>({ context, environment, renderer }: Pick<Session, 'context' | 'environment' | 'renderer'>, work: () => Promise<T>): Promise<T> {
  if (!hasEmbeddedParts(environment)) return work();
  const { superviseWhile } = await import('../../../bootstrap/index.ts');
  return superviseWhile(environment, context.config, work, (event) => renderer.notice(setupLine(event).text));
}
