/**
 * How simulated nodes, pods and volumes behave: KWOK Stages, generated. Pods find their start-up time by the release
 * label that every pod of the platform carries; nothing of the simulation is in the charts.
 */
import type { ApiObject } from '../api.ts';
import { nodeStages } from './nodes.ts';
import { podStages } from './pods.ts';
import { type ClaimName, volumeStages } from './volumes.ts';

export { kubeletEndpoint } from './nodes.ts';
export { type ClaimName, storageClass, storageClasses } from './volumes.ts';

/**
 * @param startupSeconds seconds by release name, from the pod's scheduling to its readiness (or completion)
 * @param kubeletPort where the API server reaches the kubelet of all nodes
 * @param stored claims with real data behind them
 * @param classes storage classes whose claims are served
 */
export function stages(
  startupSeconds: Readonly<Record<string, number>>,
  kubeletPort: number,
  stored: readonly ClaimName[],
  classes: readonly string[],
): ApiObject[] {
  return [...nodeStages(kubeletPort), ...podStages(startupSeconds), ...volumeStages(stored, classes)];
}
