/** Which cluster an environment belongs to, as the engine keeps it for everybody who uses it. */
import type { Client } from '@temporalio/client';
import { type ClusterBinding, clusterBindingSchema } from '../../contract/cluster.ts';
import { bindingScheduleId } from '../../contract/names.ts';
import { type Kept, keep, keepInstead, readKept } from './kept.ts';

const ATTEMPTS = 5;

/** @returns undefined where nothing was ever deployed */
export async function readBinding(client: Client, environment: string): Promise<ClusterBinding | undefined> {
  const found = await readKept(client, bindingScheduleId(environment));
  return found && clusterBindingSchema.parse(found.value);
}

/** @returns what holds: the wanted one, or the one that is there already */
export async function bindCluster(client: Client, wanted: ClusterBinding): Promise<ClusterBinding> {
  const found = await readBinding(client, wanted.environment);
  if (found) return found;
  if (await keep(client, keptOf(wanted))) return wanted;
  return (await readBinding(client, wanted.environment)) ?? wanted;
}

/**
 * Binds the environment to this cluster: whoever asks after this has returned gets the new binding. @throws Error when
 * the engine has not taken it in after several attempts
 */
export async function rebindCluster(client: Client, wanted: ClusterBinding): Promise<void> {
  if ((await bindCluster(client, wanted)) === wanted) return;
  for (let left = ATTEMPTS; left > 0; left -= 1) if (await keepInstead(client, keptOf(wanted))) return;
  throw new Error(
    `The engine has accepted that "${wanted.environment}" belongs to another cluster, but still says otherwise. See whether its own workers run, then repeat the command.`,
  );
}

function keptOf(binding: ClusterBinding): Kept {
  return {
    scheduleId: bindingScheduleId(binding.environment),
    workflowType: 'clusterBinding',
    value: binding,
    note: `Environment ${binding.environment} belongs to the cluster with kube-system uid ${binding.uid} (${binding.server}), bound by ${binding.boundBy} at ${binding.at}. This schedule only keeps that: it never runs.`,
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
