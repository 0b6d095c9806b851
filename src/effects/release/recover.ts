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
import {
  isUnfinished,
  type Next,
  nextOf,
  type Seen,
  type SeenHelm,
  type SeenRevision,
  type Wanted,
} from '../../plan/recovery/recovery.ts';
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
  const wanted: Wanted = { run: run.runId, undoes: run.undoes, digest, letFinish };
  const done: string[] = [];
  let finished = false;
  let revision = await newestOf(clients, release, signal);
  const cluster = again || isUnfinished(revision) ? run.clusterUid : undefined;
  /** That `seen` is about, once they are found. */
  const helms: Partial<Record<'ours' | 'owners', HelmProcess>> = {};
  const find = async (): Promise<SeenHelm | undefined> => {
    const found = await clients.helm.alive(release.namespace, release.name, cluster);
    if (found === undefined) return undefined;
    helms.ours = found;
    return seenHelm(found);
  };
  let seen: Seen = { revision: seenRevision(revision), helm: await find(), ended: false };
  for (;;) {
    const next = nextOf(seen, wanted);
    switch (next.do) {
      case 'nothing':
        return { revision, finished, ...(done.length === 0 ? {} : { recovered: done.join('; ') }) };
      case 'wait':
        throw await busy(clients, run, next.why, { release, revision, helms });
      case 'ask': {
        // Asked of an unfinished revision alone.
        const of = revision as Revision;
        if (next.what === 'run') seen = { ...seen, runAlive: await isWriterAlive(clients, run, of) };
        else if (next.what === 'age') seen = { ...seen, overdue: (await remaining(clients, run, release, of)) <= 0 };
        else {
          const owner = await helmOfOwner(clients, run, release, of);
          if (typeof owner !== 'string') helms.owners = owner.process;
          seen = { ...seen, owner: typeof owner === 'string' ? owner : owner.seen };
        }
        break;
      }
      case 'let-finish':
      case 'end': {
        const settled = await settle(helms[next.whose] as HelmProcess, next.do === 'let-finish', signal);
        finished ||= settled.finished;
        done.push(settled.words);
        const rest = next.whose === 'ours' ? await find() : undefined;
        // Whatever its end, Helm may have written a last word.
        if (rest === undefined) revision = await newestOf(clients, release, signal);
        seen = {
          ...seen,
          revision: seenRevision(revision),
          helm: rest,
          ended: seen.ended || next.whose === 'ours',
          ...(next.whose === 'owners' ? { owner: 'ended' } : {}),
        };
        break;
      }
      case 'remove-record': {
        const left = revision as Revision;
        await removeRecord(clients, release, left, signal);
        done.push(
          `revision ${left.revision} was left ${left.status} by ${whoWrote(left)}; its record was removed, what it had created was kept`,
        );
        revision = await newestOf(clients, release, signal);
        return { revision, finished, recovered: done.join('; ') };
      }
    }
  }
}

function seenRevision(revision: Revision | undefined): SeenRevision | undefined {
  if (revision === undefined) return undefined;
  const { status, labels } = revision;
  return { status, run: labels[RELEASE_LABELS.run], digest: labels[RELEASE_LABELS.digest] };
}

async function seenHelm(process: HelmProcess): Promise<SeenHelm> {
  return { run: process.runId, worker: (await hasLivingWorker(process)) ? 'lives' : 'gone' };
}

function newestOf(
  { kubernetes }: Recovering,
  { namespace, name }: Release,
  signal: AbortSignal,
): Promise<Revision | undefined> {
  return newestRevision(kubernetes, namespace, name, signal);
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

/** A Helm of this machine whose worker is gone. @param mayFinish what it applies is what is to be applied */
async function settle(
  process: HelmProcess,
  mayFinish: boolean,
  signal: AbortSignal,
): Promise<{ finished: boolean; words: string }> {
  if (mayFinish && (await awaitEnd(process, signal)))
    return { finished: true, words: `a Helm that outlived its worker (process ${process.helm.pid}) has finished` };
  await endProcess(process, GRACE_SECONDS, signal);
  return { finished: false, words: `a Helm that outlived its worker (process ${process.helm.pid}) was ended` };
}

function isWriterAlive(
  { environment, isRunAlive }: Recovering,
  { clusterUid }: RunRef,
  { labels }: Revision,
): Promise<boolean> {
  const workflowId = operationWorkflowId(labels[RELEASE_LABELS.environment] ?? environment.name, clusterUid);
  return isRunAlive({ workflowId, runId: labels[RELEASE_LABELS.run] ?? '' });
}

/** A rollback bears the labels of the revision that it goes back to until its owner has put its own there. */
async function isCopied({ helm }: Recovering, run: RunRef, release: Release, revision: Revision): Promise<boolean> {
  return (
    revision.status === 'pending-rollback' &&
    revision.labels[RELEASE_LABELS.run] !== run.runId &&
    (await helm.interrupted(release.namespace, release.name)) === undefined
  );
}

/** On this machine the processes themselves are looked at, whichever checkout they belong to. */
async function helmOfOwner(
  clients: Recovering,
  run: RunRef,
  release: Release,
  revision: Revision,
): Promise<{ process: HelmProcess; seen: SeenHelm } | 'none' | 'unknown'> {
  const { helm, config } = clients;
  const owner = (await isCopied(clients, run, release, revision)) ? undefined : revision.labels[RELEASE_LABELS.owner];
  const where = await whereabouts(owner, config.pod?.uid);
  if (owner === undefined || where === 'unknown') return 'unknown';
  const process = await helm.startedBy(owner, release.namespace, release.name);
  if (process === undefined) return 'none';
  // The owner itself lives, whatever the record of the process says of its worker.
  return { process, seen: where === 'here' ? { run: process.runId, worker: 'lives' } : await seenHelm(process) };
}

/** Seconds until a Helm that cannot be looked at has ended. */
async function remaining(clients: Recovering, run: RunRef, release: Release, revision: Revision): Promise<number> {
  const copied = await isCopied(clients, run, release, revision);
  // By the clock that has stamped it: another machine's Helm would lose its record to a clock here that is ahead.
  const age = clients.kubernetes.serverTime() / 1000 - revision.writtenAt;
  return boundOf(revision, clients.environment, copied) + MARGIN_SECONDS - age;
}

/**
 * Seconds after which the Helm that wrote it has ended, however it fares: its guard sees to that. The revision says so;
 * those of earlier versions do not, and a rollback bears what the revision that it goes back to says.
 */
function boundOf({ labels }: Revision, { helm }: Recovering['environment'], copied: boolean): number {
  const told = Number(labels[RELEASE_LABELS.bound]) || 0;
  return copied || told === 0 ? Math.max(told, helm.timeoutSeconds) : told;
}

interface Found {
  release: Release;
  revision: Revision | undefined;
  helms: Partial<Record<'ours' | 'owners', HelmProcess>>;
}

/** In words whom it waits for. */
async function busy(
  clients: Recovering,
  run: RunRef,
  why: Extract<Next, { do: 'wait' }>['why'],
  { release, revision, helms }: Found,
): Promise<DeployError> {
  const { namespace, name } = release;
  if (why === 'helm' && helms.ours !== undefined) {
    const { helm, worker, startedAt } = helms.ours;
    return new DeployError(
      FAILURES.releaseBusy,
      `Helm (process ${helm.pid}, since ${startedAt}) is at work on ${namespace}/${name} for worker ${worker.pid} of this machine, which lives`,
    );
  }
  // Else only an unfinished revision is waited for.
  const left = revision as Revision;
  const what = `revision ${left.revision} of ${namespace}/${name} is ${left.status} since ${new Date(left.writtenAt * 1000).toISOString()}`;
  return new DeployError(
    FAILURES.releaseBusy,
    `${what}${await whoWorks(clients, run, why, { release, revision: left, helms })}`,
  );
}

async function whoWorks(
  clients: Recovering,
  run: RunRef,
  why: Extract<Next, { do: 'wait' }>['why'],
  { release, revision, helms }: Found & { revision: Revision },
): Promise<string> {
  const { labels, manager } = revision;
  switch (why) {
    case 'somebodys':
      return `, and no deployment of ours wrote it (field manager "${manager}"): somebody's own Helm is at work, or was interrupted. This waits for it; if it is dead, end it with: helm rollback ${release.name} --namespace ${release.namespace}`;
    case 'run':
      return `: the deployment run ${labels[RELEASE_LABELS.run]} of environment "${labels[RELEASE_LABELS.environment] ?? clients.environment.name}" is at work on it`;
    case 'out-of-sight': {
      const copied = await isCopied(clients, run, release, revision);
      const left = await remaining(clients, run, release, revision);
      return `, written by ${copied ? 'an unknown process' : whoWrote(revision)}. Its Helm cannot be looked at from here and ends by itself at the latest in ${Math.ceil(left)} s`;
    }
    default: {
      const process = helms.owners;
      return `: Helm (process ${process?.helm.pid}) is at work on it for worker ${process?.worker.pid} of this machine, which lives`;
    }
  }
}

function whoWrote(revision: Revision): string {
  return `${revision.labels[RELEASE_LABELS.owner] ?? 'an unknown process'} (run ${revision.labels[RELEASE_LABELS.run] ?? 'unknown'})`;
}
