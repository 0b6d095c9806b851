/** `ananta deploy` and `ananta attach` up to the point where everything asked for has been checked. */
import type { AttachOptions } from '../commands/attach.ts';
import type { DeployOptions } from '../commands/deploy.ts';
import { confirmByName } from '../confirm.ts';
import type { CliContext } from '../context.ts';
import type { ExitCode } from '../failure.ts';
import { inSession } from './in-session.ts';
import { approvedPlan } from '../plan/approved.ts';
import { selectionOf } from '../selection-options.ts';
import { checkInputs } from './preflight.ts';

export function runDeploy(context: CliContext, options: DeployOptions): Promise<ExitCode> {
  return inSession(context, 'deploy', options, async (session, prepared) => {
    const approved = options.plan === undefined ? undefined : await approvedPlan(options.plan, options, prepared);
    selectionOf(options, prepared.catalog);
    await checkInputs(prepared, approved?.imageTags ?? options.image ?? {}, context);
    const { name, protected: isProtected } = prepared.environment;
    if (isProtected && context.terminal.interactive) await confirmByName(name, `"${name}" is a protected environment.`, session.interrupted);
    // Loaded late: the clients take a second, and a wrong option should be told at once.
    const { deploy } = await import('./deployment.ts');
    return deploy(session, prepared, options, approved);
  });
}

export function runAttach(context: CliContext, options: AttachOptions): Promise<ExitCode> {
  return inSession(context, 'attach', options, async (session) => {
    const { attach } = await import('./deployment.ts');
    return attach(session);
  });
}
