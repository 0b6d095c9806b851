/**
 * A release that somebody is working on, or has left half done. Nothing is touched before it is proved that nobody
 * works on it any more: the run that wrote it, its worker's machine, its process. Then only Helm's record of the
 * unfinished revision is removed; what it had created stays, and the next upgrade adopts it. Nothing is ever
 * uninstalled.
 */
import type { Clients } from '../../clients/index.ts';
import { endProcess, hasLivingWorker } from '../../clients/helm/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import type { RunRef } from '../../contract/deploy.ts';
import { FAILURES } from '../../contract/failures.ts';
import { deployWorkflowId, RELEASE_LABELS } from '../../contract/names.ts';
import { DeployError } from '../failures.ts';
import { isOfThisHost, newestRevision, type Revision } from './revisions.ts';

type Recovering = Pick<Clients, 'kubernetes' | 'helm' | 'environment' | 'isRunAlive'>;

export interface Release {
  namespace: string;
  name: string;
}

/** Helm is asked to end and killed after this time. */
const GRACE_SECONDS = 20;
/** Added to Helm's own timeout, for a process that cannot be looked at because it ran elsewhere. */
const MARGIN_SECONDS = 60;

/**
 * @returns the newest revision that is left, and in words what was done
 * @throws DeployError ReleaseBusy as long as somebody may still be at work
 */
export async function settleRelease(
  clients: Recovering,
  run: RunRef,
  release: Release,
  digest: string,
  signal: AbortSignal,
): Promise<{ revision: Revision | undefined; recovered?: string }> {
  const ended = await endOrphan(clients, release, signal);
  const revision = await newestRevision(clients.kubernetes, release.namespace, release.name, signal);
  const unfinished = revision?.status.startsWith('pending-') === true;
  if (revision && unfinished) await proveAbandoned(clients, run, release, revision, ended !== undefined);
  if (!revision || !(unfinished || isOwnAttempt(revision, run, digest)))
    return { revision, ...(ended === undefined ? {} : { recovered: ended }) };
  const { name, namespace, uid } = revision.secret;
  await clients.kubernetes.remove(paths.secret(namespace, name), { uid }, signal);
  const recovered = `revision ${revision.revision} was left ${revision.status} by ${whoWrote(revision)}; its record was removed, what it had created was kept`;
  return { revision: await newestRevision(clients.kubernetes, release.namespace, release.name, signal), recovered };
}

/**
 * An attempt of this very step that ended as failed: the next one takes its number, so that a run leaves one revision.
 */
function isOwnAttempt({ status, labels }: Revision, run: RunRef, digest: string): boolean {
  return status === 'failed' && labels[RELEASE_LABELS.run] === run.runId && labels[RELEASE_LABELS.digest] === digest;
}

async function endOrphan(
  { helm }: Recovering,
  { namespace, name }: Release,
  signal: AbortSignal,
): Promise<string | undefined> {
  const process = await helm.alive(namespace, name);
  if (!process) return undefined;
  if (await hasLivingWorker(process)) {
    throw new DeployError(
      FAILURES.releaseBusy,
      `Helm (process ${process.helm.pid}, since ${process.startedAt}) is at work on ${namespace}/${name}, started by worker ${process.worker.pid}`,
    );
  }
  await endProcess(process, GRACE_SECONDS, signal);
  return `a Helm that outlived its worker (process ${process.helm.pid}) was ended`;
}

async function proveAbandoned(
  { environment, helm, isRunAlive }: Recovering,
  run: RunRef,
  { namespace, name }: Release,
  revision: Revision,
  ended: boolean,
): Promise<void> {
  const what = `revision ${revision.revision} of ${namespace}/${name} is ${revision.status} since ${new Date(revision.writtenAt * 1000).toISOString()}`;
  const writer = revision.labels[RELEASE_LABELS.run];
  if (writer === undefined) {
    throw new DeployError(
      FAILURES.releaseBusy,
      `${what}, and no deployment of ours wrote it (field manager "${revision.manager}"): somebody's own Helm is at work, or was interrupted. This waits for it; if it is dead, end it with: helm rollback ${name} --namespace ${namespace}`,
    );
  }
  if (writer !== run.runId) {
    const environmentOfWriter = revision.labels[RELEASE_LABELS.environment] ?? environment.name;
    if (await isRunAlive({ workflowId: deployWorkflowId(environmentOfWriter, run.clusterUid), runId: writer })) {
      throw new DeployError(
        FAILURES.releaseBusy,
        `${what}: the deployment run ${writer} of environment "${environmentOfWriter}" is at work on it`,
      );
    }
  }
  // A rollback bears the labels of the revision that it goes back to until its owner has put its own there.
  const copied =
    revision.status === 'pending-rollback' &&
    writer !== run.runId &&
    !ended &&
    (await helm.interrupted(namespace, name)) === undefined;
  const owner = copied ? undefined : revision.labels[RELEASE_LABELS.owner];
  const age = Date.now() / 1000 - revision.writtenAt;
  const limit = environment.helm.timeoutSeconds + MARGIN_SECONDS;
  // On this machine its process was looked for already.
  if (!isOfThisHost(owner) && age < limit) {
    throw new DeployError(
      FAILURES.releaseBusy,
      `${what}, written by ${copied ? 'an unknown process' : whoWrote(revision)}. Its Helm cannot be looked at from here and ends by itself at the latest in ${Math.ceil(limit - age)} s`,
    );
  }
}

function whoWrote(revision: Revision): string {
  return `${revision.labels[RELEASE_LABELS.owner] ?? 'an unknown process'} (run ${revision.labels[RELEASE_LABELS.run] ?? 'unknown'})`;
}
