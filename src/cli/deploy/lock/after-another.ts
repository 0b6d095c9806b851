/** `deploy` finds an operation at work that does something else than what was asked for. */
import { closeTemporal } from '../../../clients/temporal/index.ts';
import type { DeployInput, OperationInput } from '../../../contract/operations/deploy.ts';
import type { LockHolder } from '../../../contract/lock.ts';
import type { Operation } from '../../../contract/operations/plan.ts';
import { asksOf } from '../../../contract/operations/start-options.ts';
import { type ExitCode, refused } from '../../shared/failure.ts';
import { commandLine } from '../../shared/format.ts';
import { describeHolder } from '../../shared/lock-words.ts';
import type { Prerequisites } from '../prerequisites.ts';
import type { Session } from '../session.ts';
import { waitForLock } from './wait.ts';

/** Of a holder from an earlier version, which does not say what it was asked for, nobody can know. */
export function doesTheSame(
  { operation, asks }: Pick<LockHolder, 'operation' | 'asks'>,
  wanted: Operation,
  input: OperationInput,
): boolean {
  return operation === wanted && asks !== undefined && asks === asksOf(input);
}

/**
 * To watch an operation that does something else would end as if the requested one had been done. So the request waits
 * for its turn; over a rollback or a destruction nothing is deployed unless the command says so.
 * @throws CliError (refused)
 */
export async function afterAnother(
  session: Session,
  ready: Prerequisites,
  input: DeployInput,
  holder: LockHolder,
  detach: boolean,
): Promise<ExitCode> {
  const { environment, renderer } = session;
  if (holder.operation === 'deploy' || holder.operation === 'repair') {
    const what =
      holder.operation === 'deploy'
        ? 'which was asked for something else (other images or services)'
        : 'which deploys nothing';
    renderer.notice(
      `The lock is held by ${describeHolder(holder, Date.now())}, ${what}: this deployment waits for its turn.`,
    );
    return waitForLock(session, ready, { input, supersede: false, detach });
  }
  await closeTemporal(ready.client).catch(() => undefined);
  throw refused(
    `The lock is held by ${describeHolder(holder, Date.now())}: nothing of what was asked for was deployed.`,
    `${commandLine('attach', '--env', environment.name)}   (watches it)`,
    `${commandLine('deploy', '--env', environment.name, '--if-running', 'queue')}   (waits for its end, then deploys)`,
  );
}
