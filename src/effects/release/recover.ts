/**
 * A release that somebody is working on, or has left half done. A Helm that its worker has left behind with the very
 * content that is wanted may finish it. Otherwise nothing is touched before it is proved that nobody works on it any
 * more: the run that wrote it, its worker's machine, its process. Then only Helm's record of the unfinished revision is
 * removed; what it had created stays, and the next upgrade adopts it. Nothing is ever uninstalled.
 */
import { DeployError } from '../../contract/errors.ts';
import { awaitEnd, endProcess, type HelmProcess, hasLivingWorker } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import { KubernetesError, paths } from '../../clients/kubernetes/index.ts';
import type { RunRef } from '../../contract/operations/deploy.ts';
import { FAILURES } from '../../contract/failures.ts';
import { operationWorkflowId, RELEASE_LABELS } from '../../contract/names.ts';
import { whereabouts } from '../../process/owner.ts';
import { newestRevision, type Revision } from './revisions.ts';

type Recovering = Pick<Clients, 'kubernetes' | 'helm' | 'environment' | 'config' | 'isRunAlive'>;

export interface Release {
  namespace: string;
  name: string;
}

/** Helm is asked to end and killed after this time. */
const GRACE_SECONDS = 20;
/** Added to Helm's own timeout, for a process that cannot be looked at because it ran elsewhere. */
const MARGIN_SECONDS = 60;

export interface Unlocking {
  /** A Helm without a worker that applies what is wanted here may finish; ended otherwise. */
  letFinish?: boolean;
  /** This was tried before: some worker may have left a Helm that has written nothing yet. */
  again?: boolean;
}

export interface Unlocked {
  /** The newest that is left. */
  revision: Revision | undefined;
  /** In words what was done. */
  recovered?: string;
  /** A Helm that had lost its worker has come to its own end: what it did may be all that is wanted. */
  finished: boolean;
}

/** @throws DeployError ReleaseBusy as long as somebody may still be at work */
export async function unlockRelease(
  clients: Recovering,
  run: RunRef,
  release: Release,
  digest: string,
  signal: AbortSignal,
  { letFinish = false, again = false }: Unlocking = {},
): Promise<Unlocked> {
  const done: string[] = [];
  let finished = false;
  let revision = await newestOf(clients, release, signal);
  const isWanted = ({ runId }: Pick<HelmProcess, 'runId'>): boolean =>
    letFinish && (runId === run.runId || (isUnfinished(revision) && revision.labels[RELEASE_LABELS.digest] === digest));
  const settle = async (process: HelmProcess): Promise<string> => {
    const end = await settleOrphan(release, process, isWanted(process), signal);
    finished ||= end.finished;
    return end.words;
  };
  const cluster = again || isUnfinished(revision) ? run.clusterUid : undefined;
  const find = (): Promise<HelmProcess | undefined> => clients.helm.alive(release.namespace, release.name, cluster);
  for (let process = await find(); process; process = await find()) done.push(await settle(process));
  // Whatever its end, Helm may have written a last word.
  if (done.length > 0) revision = await newestOf(clients, release, signal);
  if (isUnfinished(revision)) {
    const ended = await proveAbandoned(clients, run, release, revision, { ended: done.length > 0, settle });
    if (ended !== undefined) revision = await newestOf(clients, release, signal);
    done.push(...(ended === undefined ? [] : [ended]));
  }
  if (revision && (isUnfinished(revision) || isOwnAttempt(revision, run, digest))) {
    await removeRecord(clients, release, revision, signal);
    done.push(
      `revision ${revision.revision} was left ${revision.status} by ${whoWrote(revision)}; its record was removed, what it had created was kept`,
    );
    revision = await newestOf(clients, release, signal);
  }
  return { revision, finished, ...(done.length === 0 ? {} : { recovered: done.join('; ') }) };
}

/**
 * An attempt of this very step that ended as failed: the next one takes its number, so that a run leaves one revision.
 */
function isOwnAttempt({ status, labels }: Revision, run: RunRef, digest: string): boolean {
  return status === 'failed' && labels[RELEASE_LABELS.run] === run.runId && labels[RELEASE_LABELS.digest] === digest;
}

function newestOf(
  { kubernetes }: Recovering,
  { namespace, name }: Release,
  signal: AbortSignal,
): Promise<Revision | undefined> {
  return newestRevision(kubernetes, namespace, name, signal);
}

function isUnfinished(revision: Revision | undefined): revision is Revision {
  return revision?.status.startsWith('pending-') === true;
}

/** As it was when its Helm was known to be dead: one that has been written since is somebody's who lives. */
export async function removeRecord(
  { kubernetes }: Pick<Recovering, 'kubernetes'>,
  { namespace, name }: Release,
  { revision, secret: { name: secret, namespace: _, ...seen } }: Revision,
  signal: AbortSignal,
): Promise<void> {
  try {
    await kubernetes.remove(paths.secret(namespace, secret), seen, signal);
  } catch (error) {
    if (!(error instanceof KubernetesError) || error.status !== 409) throw error;
    throw new DeployError(
      FAILURES.releaseBusy,
      `revision ${revision} of ${namespace}/${name} was written while it was looked at: somebody's Helm is at work on it`,
    );
  }
}

/**
 * A Helm of this machine.
 * @param wanted what it applies is what is to be applied
 * @throws DeployError ReleaseBusy where its worker lives
 */
async function settleOrphan(
  { namespace, name }: Release,
  process: HelmProcess,
  wanted: boolean,
  signal: AbortSignal,
): Promise<{ finished: boolean; words: string }> {
  if (await hasLivingWorker(process)) {
    throw new DeployError(
      FAILURES.releaseBusy,
      `Helm (process ${process.helm.pid}, since ${process.startedAt}) is at work on ${namespace}/${name} for worker ${process.worker.pid} of this machine, which lives`,
    );
  }
  if (wanted && (await awaitEnd(process, signal)))
    return { finished: true, words: `a Helm that outlived its worker (process ${process.helm.pid}) has finished` };
  await endProcess(process, GRACE_SECONDS, signal);
  return { finished: false, words: `a Helm that outlived its worker (process ${process.helm.pid}) was ended` };
}

interface Proof {
  /** A Helm of this worker's own records was ended just now. */
  ended: boolean;
  /** Comes to terms with a Helm whose worker is gone. @returns in words what was done */
  settle: (process: HelmProcess) => Promise<string>;
}

/** @returns in words what was done to have the proof */
async function proveAbandoned(
  clients: Recovering,
  run: RunRef,
  release: Release,
  revision: Revision,
  { ended, settle }: Proof,
): Promise<string | undefined> {
  const { environment, helm, isRunAlive, config } = clients;
  const { namespace, name } = release;
  const what = `revision ${revision.revision} of ${namespace}/${name} is ${revision.status} since ${new Date(revision.writtenAt * 1000).toISOString()}`;
  const writer = revision.labels[RELEASE_LABELS.run];
  if (writer === undefined) {
    throw new DeployError(
      FAILURES.releaseBusy,
      `${what}, and no deployment of ours wrote it (field manager "${revision.manager}"): somebody's own Helm is at work, or was interrupted. This waits for it; if it is dead, end it with: helm rollback ${name} --namespace ${namespace}`,
    );
  }
  // The steps of a run that is taken back have ended: it waits for this one, and not the other way round.
  if (writer !== run.runId && writer !== run.undoes) {
    const environmentOfWriter = revision.labels[RELEASE_LABELS.environment] ?? environment.name;
    if (await isRunAlive({ workflowId: operationWorkflowId(environmentOfWriter, run.clusterUid), runId: writer })) {
      throw new DeployError(
        FAILURES.releaseBusy,
        `${what}: the deployment run ${writer} of environment "${environmentOfWriter}" is at work on it`,
      );
    }
  }
  if (ended) return undefined;
  // A rollback bears the labels of the revision that it goes back to until its owner has put its own there.
  const copied =
    revision.status === 'pending-rollback' &&
    writer !== run.runId &&
    (await helm.interrupted(namespace, name)) === undefined;
  const owner = copied ? undefined : revision.labels[RELEASE_LABELS.owner];
  const where = await whereabouts(owner, config.pod?.uid);
  if (owner !== undefined && where !== 'unknown') return endedHere(clients, release, { what, owner, where, settle });
  // By the clock that has stamped it: another machine's Helm would lose its record to a clock here that is ahead.
  const age = clients.kubernetes.serverTime() / 1000 - revision.writtenAt;
  const limit = boundOf(revision, environment, copied) + MARGIN_SECONDS;
  if (age >= limit) return undefined;
  throw new DeployError(
    FAILURES.releaseBusy,
    `${what}, written by ${copied ? 'an unknown process' : whoWrote(revision)}. Its Helm cannot be looked at from here and ends by itself at the latest in ${Math.ceil(limit - age)} s`,
  );
}

/**
 * Seconds after which the Helm that wrote it has ended, however it fares: its guard sees to that. The revision says so;
 * those of earlier versions do not, and a rollback bears what the revision that it goes back to says.
 */
function boundOf({ labels }: Revision, { helm }: Recovering['environment'], copied: boolean): number {
  const told = Number(labels[RELEASE_LABELS.bound]) || 0;
  return copied || told === 0 ? Math.max(told, helm.timeoutSeconds) : told;
}

interface Whereabouts extends Pick<Proof, 'settle'> {
  what: string;
  owner: string;
  where: 'here' | 'gone';
}

/**
 * On this machine the processes themselves are looked at, whichever checkout they belong to.
 * @returns in words what was done
 * @throws DeployError ReleaseBusy as long as Helm is at work for a worker that lives, also for one that is stopped
 */
async function endedHere(
  { helm }: Recovering,
  release: Release,
  { what, owner, where, settle }: Whereabouts,
): Promise<string | undefined> {
  const process = await helm.startedBy(owner, release.namespace, release.name);
  if (process === undefined) return undefined;
  if (where === 'gone') return settle(process);
  throw new DeployError(
    FAILURES.releaseBusy,
    `${what}: Helm (process ${process.helm.pid}) is at work on it for worker ${process.worker.pid} of this machine, which lives`,
  );
}

function whoWrote(revision: Revision): string {
  return `${revision.labels[RELEASE_LABELS.owner] ?? 'an unknown process'} (run ${revision.labels[RELEASE_LABELS.run] ?? 'unknown'})`;
}
