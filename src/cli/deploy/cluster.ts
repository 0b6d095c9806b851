/** Which cluster it is: known before anything is started on the engine. */
import { createKubernetesClient, type KubernetesClient } from '../../clients/kubernetes/index.ts';
import type { ClusterIdentity } from '../../contract/cluster.ts';
import type { Connections } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import { refused } from '../failure.ts';
import { commandLine } from '../format.ts';

/** As it answers now. */
export interface FoundCluster extends ClusterIdentity {
  /** Address of the API server. */
  server: string;
}

/** @returns uid of the kube-system namespace. @throws as `readCluster` */
export function readClusterUid(environment: Environment, connections: Connections): Promise<string> {
  return asked(environment, connections, (kubernetes) => kubernetes.clusterUid());
}

/**
 * @throws KubeconfigError for a missing file or context; CliError (refused) when the cluster does not answer or says no
 */
export function readCluster(environment: Environment, connections: Connections): Promise<FoundCluster> {
  return asked(environment, connections, async (kubernetes) => ({
    ...(await kubernetes.identity()),
    server: kubernetes.server,
  }));
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
    if (!(error instanceof Error) || error.name === 'ConfigurationError') throw error;
    throw refused(
      `The cluster of "${environment.name}" (${kubernetes.server}) could not be asked who it is: ${error.message}`,
      'embedded' in environment.cluster
        ? commandLine('doctor', '--env', environment.name)
        : 'Check the kubeconfig and its context, your rights (get on the namespace kube-system), and that this machine can reach the API server.',
    );
  } finally {
    kubernetes.close();
  }
}
