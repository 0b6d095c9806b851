/** `ananta rollback` up to the point where everything that needs no cluster has been checked. */
import { checkName } from '../shared/confirm.ts';
import type { Environment } from '../../environment/schema.ts';
import type { RollbackOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { inSession } from '../deploy/in-session.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { keptPlan } from '../plan/kept.ts';
import { commandLine } from '../shared/format.ts';

export function runRollback(context: CliContext, options: RollbackOptions): Promise<ExitCode> {
  return inSession(context, 'rollback', options, async (session, prepared) => {
    requireConfirmation(prepared.environment, options, context.terminal.interactive);
    requireRestorable(options, context.terminal.interactive);
    const kept =
      options.plan === undefined
        ? undefined
        : await keptPlan(options.plan, 'rollback', options.env, besidePlan(options));
    // Loaded late: the clients take a second, and a wrong option should be refused at once.
    const { rollback } = await import('./rollback.ts');
    return rollback(session, options, kept);
  });
}

/**
 * @throws CliError (refused) when another environment is named, or a protected one is not named where nobody can be
 * asked
 */
export function requireConfirmation(
  { name, protected: isProtected }: Pick<Environment, 'name' | 'protected'>,
  { confirm, to, pastNoReturn }: Pick<RollbackOptions, 'confirm' | 'to' | 'pastNoReturn'>,
  interactive: boolean,
): void {
  const flags = [...(to === undefined ? [] : ['--to', String(to)]), ...(pastNoReturn ? ['--past-no-return'] : [])];
  checkName({
    name,
    confirm,
    interactive,
    needed: isProtected,
    what: `"${name}" is a protected environment: rolling it back`,
    again: commandLine('rollback', '--env', name, ...flags, '--confirm', name),
  });
}

/** @throws CliError (refused): data that are put back are confirmed in every environment */
function requireRestorable({ env, restore, identity, confirm }: RollbackOptions, interactive: boolean): void {
  if (restore === undefined) return;
  if (identity === undefined)
    throw refused(
      '--restore needs the private key that opens the checkpoints.',
      commandLine('rollback', '--env', env, '--restore', '--identity', 'FILE'),
    );
  checkName({
    name: env,
    confirm,
    interactive,
    needed: true,
    what: `Putting databases of "${env}" back`,
    again: commandLine('rollback', '--env', env, '--restore', '--identity', identity, '--confirm', env),
  });
}

function besidePlan({ to, pastNoReturn, restore }: RollbackOptions): string[] {
  return [
    ...(to === undefined ? [] : ['--to']),
    ...(pastNoReturn ? ['--past-no-return'] : []),
    ...(restore ? ['--restore'] : []),
  ];
}
