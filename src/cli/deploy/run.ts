/** `ananta deploy` and `ananta attach` up to the point where everything asked for has been checked. */
import type { AttachOptions } from '../commands/attach.ts';
import type { DeployOptions } from '../commands/deploy.ts';
import { confirmByName } from '../confirm.ts';
import type { CliContext } from '../context.ts';
import type { ExitCode } from '../failure.ts';
import { createRenderer } from '../render/renderers.ts';
import { watchInterrupts } from './interrupt.ts';
import { checkInputs, type Prepared, preflight } from './preflight.ts';
import { type Session, writeJsonError } from './session.ts';

export function runDeploy(context: CliContext, options: DeployOptions): Promise<ExitCode> {
  return inSession(context, 'deploy', options, async (session, prepared) => {
    await checkInputs(prepared, options.image ?? {}, context);
    const { name, protected: isProtected } = prepared.environment;
    if (isProtected && context.terminal.interactive) await confirmByName(name, `"${name}" is a protected environment.`, session.interrupted);
    // Loaded late: the clients take a second, and a wrong option should be told at once.
    const { deploy } = await import('./deployment.ts');
    return deploy(session, prepared, options);
  });
}

export function runAttach(context: CliContext, options: AttachOptions): Promise<ExitCode> {
  return inSession(context, 'attach', options, async (session) => {
    const { attach } = await import('./deployment.ts');
    return attach(session);
  });
}

async function inSession(
  context: CliContext, command: string, options: { env: string; image?: Record<string, string>; json?: true },
  work: (session: Session, prepared: Prepared) => Promise<ExitCode>,
): Promise<ExitCode> {
  const json = options.json === true;
  const renderer = createRenderer(context.terminal, options.env, json);
  const interrupts = watchInterrupts();
  try {
    const prepared = await preflight(context, options.env, options.image);
    return await work({ context, environment: prepared.environment, json, renderer, interrupted: interrupts.signal }, prepared);
  } catch (error) {
    renderer.close();
    writeJsonError({ context, json }, error, command, options.env);
    throw error;
  } finally {
    renderer.close();
    interrupts.dispose();
  }
}
