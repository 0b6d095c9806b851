/** `ananta deploy` from the first look at the cluster: checks, the input of the workflow, its start. */
import { startOrAttach } from '../../clients/temporal/index.ts';
import type { DeployInput } from '../../contract/operations/deploy.ts';
import { checkApprovedPlan } from '../plan/approved.ts';
import type { ExitCode } from '../shared/failure.ts';
import { bind } from './binding.ts';
import { requireDependencies } from './checks/dependencies.ts';
import { confirmationOf } from './confirmed.ts';
import { afterAnother, doesTheSame } from './lock/after-another.ts';
import { waitForLock } from './lock/wait.ts';
import type { Prepared } from './preflight.ts';
import { beforeStart, type Prerequisites } from './prerequisites.ts';
import { chartsAndPlatform, requireDeployable, requireRendered } from './ready.ts';
import type { DeployRequest } from './request.ts';
import type { Session } from './session.ts';
import { watchStarted } from './watch.ts';

export async function deploy(session: Session, prepared: Prepared, request: DeployRequest): Promise<ExitCode> {
  const { imageTags, selection, approved, timeout, overrideFreeze } = request;
  const ready = await chartsAndPlatform(session, prepared);
  const confirmation = await confirmationOf(session, ready.cluster, { operation: 'deploy', confirm: request.confirm });
  await requireDeployable(session, prepared, ready);
  await requireRendered(session, prepared, ready, imageTags);
  if (approved) await checkApprovedPlan(session, prepared, ready.connections, approved, ready.clusterUid);
  const input: DeployInput = {
    environment: session.environment.name,
    imageTags,
    clusterUid: ready.clusterUid,
    requestedBy: session.context.config.requestedBy,
    ...(timeout === undefined ? {} : { timeoutSeconds: timeout }),
    ...(selection ? { selection } : {}),
    ...(approved ? { expectedDigest: approved.digest } : {}),
    ...(confirmation ? { confirmation } : {}),
    ...(overrideFreeze === undefined ? {} : { freezeOverride: overrideFreeze }),
  };
  await bind(session, ready);
  const waits = request.ifRunning === 'queue' || request.ifRunning === 'supersede';
  if (selection && !approved && !waits) await requireDependencies(session, prepared, ready, input, selection);
  return startDeployment(session, ready, input, request);
}

/** Takes the lock, or does what was asked for where somebody holds it. @returns once it has ended, or goes on alone */
export async function startDeployment(
  session: Session,
  ready: Prerequisites,
  asked: DeployInput,
  { ifRunning, detach, given }: Pick<DeployRequest, 'ifRunning' | 'detach' | 'given'>,
): Promise<ExitCode> {
  const input = await beforeStart(session, ready, 'deploy', asked);
  if (ifRunning === 'queue' || ifRunning === 'supersede')
    return waitForLock(session, ready, { input, supersede: ifRunning === 'supersede', detach });
  const run = await startOrAttach(ready.client, 'deploy', input, ifRunning);
  if (run.holder && !doesTheSame(run.holder, 'deploy', input))
    return afterAnother(session, ready, input, run.holder, detach);
  return watchStarted(session, ready, run, { operation: 'deploy', detach, ignored: given });
}
