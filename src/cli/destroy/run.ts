/** `ananta destroy` up to the point where everything asked for has been checked. */
import type { Environment } from '../../environment/schema.ts';
import type { DestroyOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { protectedFromDestroy } from '../deploy/confirmed.ts';
import { inSession } from '../deploy/in-session.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';

export function runDestroy(context: CliContext, options: DestroyOptions): Promise<ExitCode> {
  return inSession(context, 'destroy', options, async (session, prepared) => {
    requireLeave(prepared.environment, options, context.terminal.interactive);
    const { destroy } = await import('./destruction.ts');
    return destroy(session, options);
  });
}

/**
 * @throws CliError (refused) for a protected environment, or without the environment's name where nobody can be asked
 */
export function requireLeave(
  { name, protected: isProtected }: Pick<Environment, 'name' | 'protected'>,
  { confirm, deleteData }: Pick<DestroyOptions, 'confirm' | 'deleteData'>,
  interactive: boolean,
): void {
  if (isProtected) throw protectedFromDestroy(name, true);
  const again = commandLine('destroy', '--env', name, ...(deleteData ? ['--delete-data'] : []), '--confirm', name);
  if (confirm !== undefined && confirm !== name)
    throw refused(`--confirm ${confirm} does not name the environment "${name}".`, again);
  if (confirm === undefined && !interactive)
    throw refused(
      `Taking down "${name}" has to be confirmed, and there is no terminal to ask on.`,
      `${again}   (after you have made sure)`,
    );
}
