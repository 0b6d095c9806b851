/**
 * What somebody else may do, asked of the API server with that person's own token: whoever asks needs no right for it.
 */
import type { Connections } from '../../environment/connections.ts';
import { type AccessQuestion, isAllowed } from './access-review.ts';
import { KubernetesError } from './errors.ts';
import { loadKubeconfig } from './kubeconfig/kubeconfig.ts';
import { KubeConfig } from './kubeconfig/kubeconfig-class.ts';
import { createTransport } from './transport.ts';

export type Verdict = 'allowed' | 'forbidden' | 'unknown';

/**
 * @param token bearer token of the caller, of a service account or of the cluster's OpenID provider
 * @returns `unknown` where the API server does not know the token
 * @throws UnreachableError
 */
export async function mayCaller(
  connection: Connections['kubernetes'],
  token: string,
  question: AccessQuestion,
  signal?: AbortSignal,
): Promise<Verdict> {
  const transport = createTransport(() => as(token, loadKubeconfig(connection)));
  try {
    return (await isAllowed(transport, question, signal)) ? 'allowed' : 'forbidden';
  } catch (error) {
    if (error instanceof KubernetesError && (error.status === 401 || error.status === 403)) return 'unknown';
    throw error;
  } finally {
    transport.close();
  }
}

/** The same cluster, by the same way, without anything of our own log-in. */
function as(token: string, own: KubeConfig): KubeConfig {
  const cluster = own.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig names no cluster');
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [cluster],
    users: [{ name: 'caller', token }],
    contexts: [{ name: 'caller', cluster: cluster.name, user: 'caller' }],
    currentContext: 'caller',
  });
  return config;
}
