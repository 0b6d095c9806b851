/** `ananta destroy` up to the point where everything asked for has been checked. */
import { checkName } from '../shared/confirm.ts';
import type { Environment } from '../../environment/schema.ts';
import type { DestroyOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { protectedFromDestroy } from '../deploy/confirmed.ts';
import { inSession } from '../deploy/in-session.ts';
import type { ExitCode } from '../shared/failure.ts';
import { keptPlan } from '../plan/kept.ts';
import { commandLine } from '../shared/format.ts';

export function runDestroy(context: CliContext, options: DestroyOptions): Promise<ExitCode> {
  return inSession(context, 'destroy', options, async (session, prepared) => {
    requireConfirmation(prepared.environment, options, context.terminal.interactive);
    const kept =
      options.plan === undefined
        ? undefined
        : await keptPlan(options.plan, 'destroy', options.env, options.deleteData ? ['--delete-data'] : []);
    const { destroy } = await import('./destruction.ts');
    return destroy(session, kept?.deleteData ? { ...options, deleteData: true } : options, kept);
  });
}

/**
 * @throws CliError (refused) for a protected environment, or without the environment's name where nobody can be asked
 */
export function requireConfirmation(
  { name, protected: isProtected }: Pick<Environment, 'name' | 'protected'>,
  { confirm, deleteData }: Pick<DestroyOptions, 'confirm' | 'deleteData'>,
  interactive: boolean,
): void {
  if (isProtected) throw protectedFromDestroy(name, true);
  checkName({
    name,
    confirm,
    interactive,
    needed: true,
    what: `Taking down "${name}"`,
    again: commandLine('destroy', '--env', name, ...(deleteData ? ['--delete-data'] : []), '--confirm', name),
  });
}
