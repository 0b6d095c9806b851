/**
 * Which cluster an environment belongs to, as the engine keeps it for everybody who uses it: in a schedule that never
 * runs, since an engine deletes everything else after its retention time. Never encrypted: it has to be readable when
 * every key is lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, type ScheduleOptions } from '@temporalio/client';
import { type ClusterBinding, clusterBindingSchema } from '../../contract/cluster.ts';
import { bindingScheduleId } from '../../contract/names.ts';
import { withoutKeys } from './encryption/readable.ts';

const ATTEMPTS = 5;
const TAKEN_IN_WITHIN_MILLISECONDS = 3_000;
const LOOK_EVERY_MILLISECONDS = 100;

/** @returns undefined where nothing was ever deployed */
export async function readBinding(client: Client, environment: string): Promise<ClusterBinding | undefined> {
  try {
    const { action } = await withoutKeys(client).schedule.getHandle(bindingScheduleId(environment)).describe();
    return clusterBindingSchema.parse(action.args?.[0]);
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** @returns what holds: the wanted one, or the one that is there already */
export async function bindCluster(client: Client, wanted: ClusterBinding): Promise<ClusterBinding> {
  const found = await readBinding(client, wanted.environment);
  if (found) return found;
  try {
    await withoutKeys(client).schedule.create({
      scheduleId: bindingScheduleId(wanted.environment),
      ...definitionOf(wanted),
    });
    return wanted;
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    return (await readBinding(client, wanted.environment)) ?? wanted;
  }
}

/**
 * Binds the environment to this cluster: whoever asks after this has returned gets the new binding. @throws Error when
 * the engine has not taken it in after several attempts
 */
export async function rebindCluster(client: Client, wanted: ClusterBinding): Promise<void> {
  if ((await bindCluster(client, wanted)) === wanted) return;
  // The engine answers before it has worked, and drops an update without a word when the schedule has changed in
  // between.
  for (let left = ATTEMPTS; left > 0; left -= 1) {
    await withoutKeys(client)
      .schedule.getHandle(bindingScheduleId(wanted.environment))
      .update(() => definitionOf(wanted));
    if (await becomes(client, wanted)) return;
  }
  throw new Error(
    `The engine has accepted that "${wanted.environment}" belongs to another cluster, but still says otherwise. See whether its own workers run, then repeat the command.`,
  );
}

async function becomes(client: Client, wanted: ClusterBinding): Promise<boolean> {
  for (const until = Date.now() + TAKEN_IN_WITHIN_MILLISECONDS; ; ) {
    if (isDeepStrictEqual(await readBinding(client, wanted.environment), wanted)) return true;
    if (Date.now() > until) return false;
    await sleep(LOOK_EVERY_MILLISECONDS);
  }
}

function definitionOf(
  binding: ClusterBinding,
): Pick<ScheduleOptions, 'spec' | 'action'> & { state: { paused: true; note: string } } {
  return {
    // Paused, a schedule is kept for ever; also if somebody resumes it, its time does not come.
    spec: { intervals: [{ every: '36500 days' }] },
    action: {
      // Nobody serves this: also when somebody starts it by hand in the UI, nothing happens.
      type: 'startWorkflow',
      workflowType: 'clusterBinding',
      taskQueue: 'nobody',
      workflowRunTimeout: '1 minute',
      args: [binding],
    },
    state: {
      paused: true,
      note: `Environment ${binding.environment} belongs to the cluster with kube-system uid ${binding.uid} (${binding.server}), bound by ${binding.boundBy} at ${binding.at}. This schedule only keeps that: it never runs.`,
    },
  };
}

const RECENT_MILLISECONDS = 5000;
const recent = new WeakMap<Client, Map<string, { at: number; binding: ClusterBinding | undefined }>>();

/** As of a few seconds ago: workers ask before every step. @param maxAgeMilliseconds 0: as of now */
export async function recentBinding(
  client: Client,
  environment: string,
  maxAgeMilliseconds = RECENT_MILLISECONDS,
): Promise<ClusterBinding | undefined> {
  const known = recent.get(client) ?? new Map<string, { at: number; binding: ClusterBinding | undefined }>();
  recent.set(client, known);
  const found = known.get(environment);
  if (found && Date.now() - found.at < maxAgeMilliseconds) return found.binding;
  const binding = await readBinding(client, environment);
  known.set(environment, { at: Date.now(), binding });
  return binding;
}
