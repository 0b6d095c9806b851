/** What a deployment stands on: embedded parts are started, external ones are taken as they are. */
import { type Connections, readRuntime, resolveConnections } from '../../environment/connections.ts';
import { inSpan } from '../../process/spans.ts';
import { setupLine } from '../render/setup.ts';
import { hasEmbeddedParts } from './embedded.ts';
import { unlessInterrupted } from './interrupt.ts';
import type { Session } from './session.ts';

type Standing = Pick<Session, 'context' | 'environment' | 'renderer' | 'interrupted'>;

/**
 * Starts what is embedded and not running yet, with progress.
 * @throws ToolsUnavailableError, ComponentError; Interrupted when a signal comes first
 */
export async function ensureLocalStack({
  context,
  environment,
  renderer,
  interrupted: signal,
}: Standing): Promise<Connections> {
  if (hasEmbeddedParts(environment)) {
    await inSpan('start what is embedded', {}, async () => {
      // Loaded late: an external environment needs nothing of it.
      const { up } = await import('../../../bootstrap/index.ts');
      await unlessInterrupted(
        signal,
        up(environment, context.config, (event) => renderer.setup(setupLine(event)), { signal }),
      );
    });
  }
  return resolveConnections(environment, context.config);
}

/**
 * The same for commands that look at what is there: an environment that was never started, or stopped, stays so.
 * @throws NotRunningError
 */
export async function ensureLocalStackAgain(standing: Standing): Promise<Connections> {
  const started = await readRuntime(standing.context.config, standing.environment.name);
  return started ? ensureLocalStack(standing) : resolveConnections(standing.environment, standing.context.config);
}

/** Runs the work; while it runs, embedded components that die are started again. */
export async function supervised<T>({ context, environment, renderer }: Standing, work: () => Promise<T>): Promise<T> {
  if (!hasEmbeddedParts(environment)) return work();
  const { superviseWhile } = await import('../../../bootstrap/index.ts');
  const ended = new AbortController();
  const supervision = superviseWhile(environment, context.config, ended.signal, (event) => {
    const line = setupLine(event);
    if (!line.passing) renderer.notice(line.text);
  });
  try {
    return await work();
  } finally {
    ended.abort();
    await supervision;
  }
}
