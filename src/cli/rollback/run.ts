/** `ananta rollback` up to the point where what can be told without the cluster has been checked. */
import type { Environment } from '../../environment/schema.ts';
import type { RollbackOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { inSession } from '../deploy/in-session.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';

export function runRollback(context: CliContext, options: RollbackOptions): Promise<ExitCode> {
  return inSession(context, 'rollback', options, async (session, prepared) => {
    requireLeave(prepared.environment, options, context.terminal.interactive);
    // Loaded late: the clients take a second, and a wrong option should be told at once.
    const { rollback } = await import('./rollback.ts');
    return rollback(session, options);
  });
}

/**
 * @throws CliError (refused) when another environment is named, or a protected one is not named where nobody can be
 * asked
 */
export function requireLeave(
  { name, protected: isProtected }: Pick<Environment, 'name' | 'protected'>,
  { confirm, to, pastNoReturn }: Pick<RollbackOptions, 'confirm' | 'to' | 'pastNoReturn'>,
  interactive: boolean,
): void {
  const again = commandLine(
    'rollback',
    '--env',
    name,
    ...(to === undefined ? [] : ['--to', String(to)]),
    ...(pastNoReturn ? ['--past-no-return'] : []),
    '--confirm',
    name,
  );
  if (confirm !== undefined && confirm !== name)
    throw refused(`--confirm ${confirm} does not name the environment "${name}".`, again);
  if (isProtected && confirm === undefined && !interactive)
    throw refused(
      `"${name}" is a protected environment: rolling it back has to be confirmed, and there is no terminal to ask on.`,
      `${again}   (after you have made sure)`,
    );
}
