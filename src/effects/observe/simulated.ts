/** Whether a pod is simulated: then nothing is in it that could be changed or read. */
import type { Clients } from '../../clients/index.ts';
import { KubernetesError, type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import { isSimulatedPod, simulatedNodes } from '../../plan/drift/content-simulated.ts';

export async function isSimulated(
  kubernetes: Pick<Clients['kubernetes'], 'get'>,
  pod: KubernetesObject,
  signal: AbortSignal,
): Promise<boolean> {
  const { nodeName } = (pod['spec'] ?? {}) as { nodeName?: string };
  if (nodeName === undefined) return false;
  const node = await kubernetes.get(`${paths.nodes}/${nodeName}`, signal).catch((error: unknown) => {
    // An identity that may not read nodes works on an external cluster, where no pod is simulated.
    if (error instanceof KubernetesError && error.status === 403) return undefined;
    throw error;
  });
  return node !== undefined && isSimulatedPod(pod, simulatedNodes([node]));
}
