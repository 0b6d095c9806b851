/** Which cluster it is: known before anything is started on the engine. */
import { createKubernetesClient } from '../../clients/kubernetes/index.ts';
import type { Connections } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import { refused } from '../failure.ts';
import { commandLine } from '../format.ts';

/**
 * @returns uid of the kube-system namespace
 * @throws KubeconfigError for a missing file or context; CliError (refused) when the cluster does not answer or says no
 */
export async function readClusterUid(environment: Environment, connections: Connections): Promise<string> {
  const kubernetes = createKubernetesClient(connections.kubernetes);
  try {
    return await kubernetes.clusterUid();
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
