/** Which cluster it is: known before anything is started on the engine. */
import { labelledEnvironments, readOwner, type StoredOwner } from '../../effects/owner/record.ts';
import {
  createKubernetesClient,
  KubeconfigError,
  type KubernetesClient,
  KubernetesError,
} from '../../clients/kubernetes/index.ts';
import type { ClusterIdentity } from '../../contract/cluster.ts';
import type { Connections } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import { OwnerMismatchError } from '../../plan/ownership/ownership.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';

/** As it answers now. */
export interface FoundCluster extends ClusterIdentity {
  /** Address of the API server. */
  server: string;
  /** Whose it is; absent: nobody has claimed it yet. */
  record?: StoredOwner;
  /** Where nobody has, or the record is damaged: environments whose name releases carry, each with one of them. */
  labelled: ReadonlyMap<string, string>;
}

/** @returns uid of the kube-system namespace. @throws as `readCluster` */
export function readClusterUid(environment: Environment, connections: Connections): Promise<string> {
  return asked(environment, connections, (kubernetes) => kubernetes.clusterUid());
}

/**
 * @throws KubeconfigError for a missing file or context; CliError (refused) when the cluster does not answer or says no
 */
export function readCluster(environment: Environment, connections: Connections): Promise<FoundCluster> {
  return asked(environment, connections, found);
}

/** With the clients that are there. */
export async function found(
  kubernetes: Pick<KubernetesClient, 'identity' | 'get' | 'list' | 'server'>,
  signal?: AbortSignal,
): Promise<FoundCluster> {
  const [identity, record] = await Promise.all([kubernetes.identity(signal), readOwner(kubernetes, signal)]);
  return {
    ...identity,
    server: kubernetes.server,
    ...(record ? { record } : {}),
    labelled: record?.owner ? new Map() : await labelledEnvironments(kubernetes, signal),
  };
}

/**
 * Writes the owner record, with a client of its own.
 * @throws CliError (refused) when the cluster does not answer or says no
 */
export async function onCluster<T>(
  { name }: Environment,
  connections: Connections,
  write: (kubernetes: KubernetesClient) => Promise<T>,
): Promise<T> {
  const kubernetes = createKubernetesClient(connections.kubernetes);
  try {
    return await write(kubernetes);
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    throw refused(
      `The cluster of "${name}" (${kubernetes.server}) did not take in whose it is: ${error.message}`,
      'Check your rights: get, create and update on ConfigMaps in ananta-system, and create on that namespace.',
    );
  } finally {
    kubernetes.close();
  }
}

async function asked<T>(
  environment: Environment,
  connections: Connections,
  ask: (kubernetes: KubernetesClient) => Promise<T>,
): Promise<T> {
  const kubernetes = createKubernetesClient(connections.kubernetes);
  try {
    return await ask(kubernetes);
  } catch (error) {
    if (!(error instanceof Error) || error instanceof KubeconfigError || error instanceof OwnerMismatchError)
      throw error;
    throw refused(
      `The cluster of "${environment.name}" (${kubernetes.server}) could not be asked who it is: ${error.message}`,
      'embedded' in environment.cluster
        ? commandLine('doctor', '--env', environment.name)
        : 'Check the kubeconfig and its context, your rights (get on the namespace kube-system, and on ConfigMaps in ananta-system), and that this machine can reach the API server.',
    );
  } finally {
    kubernetes.close();
  }
}
