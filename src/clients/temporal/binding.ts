/**
 * Which cluster an environment belongs to, as the engine keeps it for everybody who uses it: in a schedule that never runs,
 * since all else that an engine remembers it forgets after a while.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, type ScheduleOptions } from '@temporalio/client';
import { type ClusterBinding, clusterBindingSchema } from '../../contract/cluster.ts';
import { bindingScheduleId } from '../../contract/names.ts';

const TAKEN_IN_WITHIN_MILLISECONDS = 15_000;
const LOOK_EVERY_MILLISECONDS = 100;

/** @returns undefined where nothing was ever deployed */
export async function readBinding(client: Client, environment: string): Promise<ClusterBinding | undefined> {
  try {
    const { action } = await client.schedule.getHandle(bindingScheduleId(environment)).describe();
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
    await client.schedule.create({ scheduleId: bindingScheduleId(wanted.environment), ...definitionOf(wanted) });
    return wanted;
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    return await readBinding(client, wanted.environment) ?? wanted;
  }
}

/** From now on it is this cluster: whoever asks after this has returned is told so. @throws Error when the engine has not taken it in after a while */
export async function rebindCluster(client: Client, wanted: ClusterBinding): Promise<void> {
  if (await bindCluster(client, wanted) === wanted) return;
  await client.schedule.getHandle(bindingScheduleId(wanted.environment)).update(() => definitionOf(wanted));
  // The engine hands an update on to the schedule's own workflow, and answers before that has worked.
  for (let left = TAKEN_IN_WITHIN_MILLISECONDS / LOOK_EVERY_MILLISECONDS; !isDeepStrictEqual(await readBinding(client, wanted.environment), wanted); left -= 1) {
    if (left <= 0) throw new Error(`The engine has accepted that "${wanted.environment}" belongs to another cluster, but says otherwise ${TAKEN_IN_WITHIN_MILLISECONDS / 1000} s later. See whether its own workers run, then repeat the command.`);
    await sleep(LOOK_EVERY_MILLISECONDS);
  }
}

function definitionOf(binding: ClusterBinding): Pick<ScheduleOptions, 'spec' | 'action'> & { state: { paused: true; note: string } } {
  return {
    // Paused, a schedule is kept for ever; also if somebody resumes it, its time does not come.
    spec: { intervals: [{ every: '36500 days' }] },
    action: {
      // Nobody serves this: also when somebody starts it by hand in the UI, nothing happens.
      type: 'startWorkflow', workflowType: 'clusterBinding', taskQueue: 'nobody', workflowRunTimeout: '1 minute', args: [binding],
    },
    state: { paused: true, note: `Environment ${binding.environment} belongs to the cluster with kube-system uid ${binding.uid} (${binding.server}), bound by ${binding.boundBy} at ${binding.at}. This schedule only keeps that: it never runs.` },
  };
}

const RECENT_MILLISECONDS = 5000;
const recent = new WeakMap<Client, Map<string, { at: number; binding: ClusterBinding | undefined }>>();

/** As of a few seconds ago: workers ask before every step. @param maxAgeMilliseconds 0: as of now */
export async function recentBinding(client: Client, environment: string, maxAgeMilliseconds = RECENT_MILLISECONDS): Promise<ClusterBinding | undefined> {
  const known = recent.get(client) ?? new Map<string, { at: number; binding: ClusterBinding | undefined }>();
  recent.set(client, known);
  const found = known.get(environment);
  if (found && Date.now() - found.at < maxAgeMilliseconds) return found.binding;
  const binding = await readBinding(client, environment);
  known.set(environment, { at: Date.now(), binding });
  return binding;
}
