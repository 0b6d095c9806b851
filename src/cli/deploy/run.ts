/** `ananta deploy` and `ananta attach` up to the point where everything asked for has been checked. */
import type { AttachOptions, DeployOptions } from './options.ts';
import { checkName, confirmByName } from '../shared/confirm.ts';
import type { CliContext } from '../shared/context.ts';
import type { Environment } from '../../environment/schema.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { inSession } from './in-session.ts';
import { approvedPlan } from '../plan/approved.ts';
import { selectionOf } from '../shared/selection-options.ts';
import { checkInputs } from './preflight.ts';

export function runDeploy(context: CliContext, options: DeployOptions): Promise<ExitCode> {
  return inSession(context, 'deploy', options, async (session, prepared) => {
    if (options.follow !== undefined && options.detach)
      throw refused('--detach leaves the deployment alone, so there is nothing to --follow: give one of them.');
    const approved = options.plan === undefined ? undefined : await approvedPlan(options.plan, options, prepared);
    selectionOf(options, prepared.catalog);
    await checkInputs(prepared, approved?.imageTags ?? options.image ?? {}, context);
    const { name, protected: isProtected } = prepared.environment;
    requireConfirmation(prepared.environment, options.confirm, context.terminal.interactive);
    if (isProtected && options.confirm === undefined)
      await confirmByName(name, `"${name}" is a protected environment.`, session.interrupted);
    // Loaded late: the clients take a second, and a wrong option should be told at once.
    const { deploy } = await import('./deployment.ts');
    return deploy(session, prepared, isProtected ? { ...options, confirm: name } : options, approved);
  });
}

/**
 * @throws CliError (refused) when another environment is named, or a protected one is not named where nobody can be
 * asked
 */
export function requireConfirmation(
  { name, protected: isProtected }: Pick<Environment, 'name' | 'protected'>,
  confirm: string | undefined,
  interactive: boolean,
): void {
  checkName({
    name,
    confirm,
    interactive,
    needed: isProtected,
    what: `"${name}" is a protected environment: deploying to it`,
    again: commandLine('deploy', '--env', name, '--confirm', name),
    after: `after you have read the plan: ${commandLine('plan', '--env', name)}`,
  });
}

export function runAttach(context: CliContext, options: AttachOptions): Promise<ExitCode> {
  return inSession(context, 'attach', options, async (session) => {
    const { attach } = await import('./deployment.ts');
    return attach(session);
  });
}
