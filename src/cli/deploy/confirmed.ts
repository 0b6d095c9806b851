/** The name of a protected environment, typed or given, before an operation on it is started. */
import type { Confirmation } from '../../contract/operations/deploy.ts';
import type { Operation } from '../../contract/operations/plan.ts';
import { checkName, confirmByName } from '../shared/confirm.ts';
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
  const isProtected = environment.protected || record?.owner?.protected === true;
  if (isProtected && operation === 'destroy') throw protectedFromDestroy(name, environment.protected);
  await requireName(
    { name, byFile: environment.protected, byCluster: isProtected, confirm, what: OPERATION_WORDS[operation].one },
    context.terminal.interactive,
    interrupted,
  );
  if (!isProtected && confirm === undefined) return undefined;
  return { environment: name, operation, requestedBy: context.config.requestedBy };
}

export interface NameQuestion {
  name: string;
  /** Its file says that it is protected. */
  byFile: boolean;
  /** Its cluster does, whatever the file says. */
  byCluster: boolean;
  /** As given with --confirm. */
  confirm: string | undefined;
  /** What is about to be done: `a deployment`. */
  what: string;
}

/**
 * Asks for the name of a protected environment. @throws CliError (refused) for another, or where nobody can be asked
 */
export async function requireName(
  { name, byFile, byCluster, confirm, what }: NameQuestion,
  interactive: boolean,
  signal: AbortSignal,
): Promise<void> {
  const why = byFile ? '' : ', as the cluster says, whatever its file says now';
  const needed = byFile || byCluster;
  checkName({
    name,
    confirm,
    interactive,
    needed,
    what: `"${name}" is a protected environment${why}: ${what} of it`,
    again: `The same command with --confirm ${name}`,
  });
  if (confirm !== undefined || !needed) return;
  await confirmByName(name, `"${name}" is a protected environment${why}.`, signal);
}

/** @param byFile the environment's file says `protected`, too */
export function protectedFromDestroy(name: string, byFile: boolean): Error {
  const file = byFile
    ? ` If that is really meant, let environments/${name}.yaml say "protected: false", and have that reviewed.`
    : '';
  return refused(
    `"${name}" is protected: it is not taken down.${file}`,
    `${commandLine('rebind', '--env', name, '--lift-protection')}   (${byFile ? 'after that' : 'if that is really meant'}: the cluster keeps that it is protected)`,
  );
}
