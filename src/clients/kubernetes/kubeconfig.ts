/** From what the environment says to a loaded kubeconfig, with the mistakes people make spelled out. */
import { existsSync } from 'node:fs';
import type { Connections } from '../../environment/connections.ts';
import { KubeconfigError } from './errors.ts';
import { KubeConfig } from './kubeconfig-class.ts';

/**
 * @throws KubeconfigError when the file is missing or damaged, or has no such context
 */
export function loadKubeconfig(connection: Connections['kubernetes']): KubeConfig {
  const config = new KubeConfig();
  if (connection.inCluster) {
    config.loadFromCluster();
    return config;
  }
  if (!existsSync(connection.kubeconfig)) {
    throw new KubeconfigError(
      `The kubeconfig ${connection.kubeconfig} does not exist. Name another file in the environment's cluster.kubeconfig, or in KUBECONFIG.`,
    );
  }
  try {
    config.loadFromFile(connection.kubeconfig);
  } catch (error) {
    throw new KubeconfigError(
      `The kubeconfig ${connection.kubeconfig} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (connection.context !== undefined) {
    const known = config.getContexts().map((context) => context.name);
    if (!known.includes(connection.context)) {
      throw new KubeconfigError(
        `The kubeconfig ${connection.kubeconfig} has no context "${connection.context}" (it has: ${known.join(', ') || 'none'}). Correct cluster.context in the environment file.`,
      );
    }
    config.setCurrentContext(connection.context);
  }
  if (config.getCurrentCluster() === null)
    throw new KubeconfigError(`The kubeconfig ${connection.kubeconfig} names no cluster for its current context.`);
  return config;
}
