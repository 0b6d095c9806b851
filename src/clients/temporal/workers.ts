/**
 * Which workers are running. The engine lists a worker for up to five minutes after its last poll, so a listed one may
 * be gone.
 */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { processIdentity } from '../../process/identity.ts';
import { isFromHere, isGoneFromHere } from '../../process/owner.ts';

/** A poll waits for work for up to 60 s before the worker sends the next one. */
const SILENT_MILLISECONDS = 90_000;

export interface LivingWorkers {
  alive: number;
  /** What is known of the last worker, where none is running. */
  detail: string;
}

/**
 * Who has polled the task queue for workflow tasks in the last minutes, with the time of the last poll in milliseconds
 * since the epoch.
 */
export async function workerIdentities(
  client: Client,
  taskQueue: string,
): Promise<{ identity: string; seenAt: number }[]> {
  const answer = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  return answer.pollers.map(({ identity, lastAccessTime }) => ({
    identity: identity ?? '',
    seenAt: Number(lastAccessTime?.seconds ?? 0) * 1000,
  }));
}

/** Those of them that polled recently enough to be running still. */
export async function recentWorkers(client: Client, taskQueue: string, now = Date.now()): Promise<string[]> {
  return (await workerIdentities(client, taskQueue))
    .filter(({ seenAt }) => now - seenAt <= SILENT_MILLISECONDS)
    .map(({ identity }) => identity);
}

/**
 * A worker of this machine is looked for among its processes: one that was killed is known at once.
 * @param buildId only those that serve this version of the code
 */
export async function livingWorkers(client: Client, taskQueue: string, buildId?: string): Promise<LivingWorkers> {
  const answer = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  const pollers = answer.pollers.filter(
    ({ deploymentOptions }) => buildId === undefined || deploymentOptions?.buildId === buildId,
  );
  const states = await Promise.all(
    pollers.map(async ({ identity, lastAccessTime }) => {
      const silent = Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1000;
      const gone = await goneFromHere(identity ?? '');
      if (gone !== undefined) return `its worker ${withoutTag(identity ?? '')} ${gone}`;
      return silent > SILENT_MILLISECONDS
        ? `its worker ${withoutTag(identity ?? '')} has not asked for work for ${Math.round(silent / 1000)} s`
        : undefined;
    }),
  );
  const alive = states.filter((state) => state === undefined).length;
  const nobody =
    buildId !== undefined && answer.pollers.length > 0
      ? `no worker serves the version of the code that it began with (${buildId})`
      : 'no worker asks for its work';
  return { alive, detail: states.find((state) => state !== undefined) ?? nobody };
}

/**
 * @param identity `user@host/pid#tag`, as our workers register; workers of earlier versions have no tag. @returns why
 * it does not run, where it is a process of this machine
 */
async function goneFromHere(identity: string): Promise<string | undefined> {
  const [, host, digits, tag] = /@([^/]+)\/(\d+)(?:#(\S+))?$/.exec(identity) ?? [];
  if (digits === undefined) return undefined;
  const pid = Number(digits);
  if (
    tag === undefined
      ? host === hostname() && (await processIdentity(pid)) === undefined
      : await isGoneFromHere(pid, tag)
  )
    return 'is dead';
  if (tag === undefined ? host !== hostname() : !(await isFromHere(tag))) return undefined;
  // The state of a process follows its name in parentheses; T and t mean that it is stopped.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return /\) [Tt] /.test(stat) ? `is stopped (process ${pid})` : undefined;
}

/** The identity without the tag, for messages: people need the process alone. */
function withoutTag(identity: string): string {
  return identity.replace(/#\S+$/, '');
}
