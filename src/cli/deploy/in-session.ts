/** Common to all commands that watch an operation: the renderer, the signal handlers, the handling of errors. */
import { checkService } from '../shared/arguments.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { traced } from '../shared/traced.ts';
import { createRenderer } from '../render/renderers.ts';
import { watchInterrupts } from './interrupt.ts';
import { type Prepared, preflight } from './preflight.ts';
import { type Session, writeJsonError } from './session.ts';

/** @param command as it stands in front of an error */
export async function inSession(
  context: CliContext,
  command: string,
  options: { env: string; image?: Record<string, string>; follow?: string; json?: true },
  work: (session: Session, prepared: Prepared) => Promise<ExitCode>,
): Promise<ExitCode> {
  const json = options.json === true;
  const renderer = createRenderer(context.terminal, options.env, json);
  const interrupts = watchInterrupts();
  try {
    const prepared = await preflight(context, options.env, options.image);
    const { follow } = options;
    const { environment, catalog } = prepared;
    const services = catalog.services.map(({ name }) => name);
    if (follow !== undefined) checkService(follow, services);
    const interrupted = interrupts.signal;
    const session = { context, environment, json, renderer, interrupted, ...(follow === undefined ? {} : { follow }) };
    return await traced(context, environment, command, () => work(session, prepared));
  } catch (error) {
    renderer.close();
    writeJsonError({ context, json }, error, command, options.env);
    throw error;
  } finally {
    renderer.close();
    interrupts.dispose();
  }
}
