/** The name of a protected environment, typed or given, before an operation on it is started. */
import type { Confirmation } from '../../contract/deploy.ts';
import type { Operation } from '../../contract/plan.ts';
import { confirmByName } from '../shared/confirm.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { OPERATION_WORDS } from '../render/operation-words.ts';
import type { FoundCluster } from './cluster.ts';
import type { Session } from './session.ts';

export interface ConfirmationOptions {
  operation: Operation;
  /** As given with --confirm, or typed before. */
  confirm: string | undefined;
}

/**
 * What the operation is started with: the workers ask for it. Protection is a fact of the cluster, whatever the file
 * says.
 * @returns undefined where nothing has to be confirmed
 * @throws CliError (refused) for another name, for none where nobody can be asked, and for a destruction
 */
export async function confirmationOf(
  { environment, context, interrupted }: Pick<Session, 'environment' | 'context' | 'interrupted'>,
  { record }: Pick<FoundCluster, 'record'>,
  { operation, confirm }: ConfirmationOptions,
): Promise<Confirmation | undefined> {
  const { name } = environment;
  const { one } = OPERATION_WORDS[operation];
  const isProtected = environment.protected || record?.owner?.protected === true;
  if (isProtected && operation === 'destroy') throw protectedFromDestroy(name, environment.protected);
  if (confirm !== undefined && confirm !== name)
    throw refused(`--confirm ${confirm} does not name the environment "${name}".`);
  if (isProtected && confirm === undefined) {
    const why = environment.protected ? '' : ', as the cluster says, whatever its file says now';
    if (!context.terminal.interactive) {
      throw refused(
        `"${name}" is a protected environment${why}: ${one} of it has to be confirmed, and there is no terminal to ask on.`,
        `The same command with --confirm ${name}   (after you have made sure)`,
      );
    }
    await confirmByName(name, `"${name}" is a protected environment${why}.`, interrupted);
  }
  if (!isProtected && confirm === undefined) return undefined;
  return { environment: name, operation, requestedBy: context.config.requestedBy };
}

/** @param byFile its file says so, too */
export function protectedFromDestroy(name: string, byFile: boolean): Error {
  const file = byFile
    ? ` If that is really meant, let environments/${name}.yaml say "protected: false", and have that reviewed.`
    : '';
  return refused(
    `"${name}" is protected: it is not taken down.${file}`,
    `${commandLine('rebind', '--env', name, '--lift-protection')}   (${byFile ? 'after that' : 'if that is really meant'}: the cluster keeps that it is protected)`,
  );
}
