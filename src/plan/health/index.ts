/** Health by kind, and of a release as a whole. Pure: objects in, words out. */
import type { ObservedHealth } from '../observed.ts';
import { treeOf } from '../inputs/helm-marks.ts';
import { daemonSetHealth } from './daemonset.ts';
import { deploymentHealth } from './deployment.ts';
import { isBetweenAttempts, jobHealth } from './job.ts';
import { persistentVolumeClaimHealth } from './persistentvolumeclaim.ts';
import { statefulSetHealth } from './statefulset.ts';
import type { Health } from './types.ts';

export {
  daemonSetHealth,
  deploymentHealth,
  isBetweenAttempts,
  jobHealth,
  persistentVolumeClaimHealth,
  statefulSetHealth,
};
export type { Health } from './types.ts';
export { missingPods } from './missing.ts';
export { type Spoken, type Warning, warningsOf, warningText } from './warnings.ts';
export { isPodReady, isPodRunning, type PodTrouble, podTrouble, troubleText } from './pod.ts';

/** Kinds that carry pods; a release is healthy when all of these are. */
export const WORKLOAD_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'] as const;
export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

export interface Workload {
  kind: WorkloadKind;
  name: string;
  object: unknown;
}

const BY_KIND: Record<WorkloadKind, (object: unknown) => Health> = {
  Deployment: deploymentHealth,
  StatefulSet: statefulSetHealth,
  DaemonSet: daemonSetHealth,
  Job: jobHealth,
};

/** @throws ZodError when the object is not of its kind */
export function workloadHealth({ kind, object }: Pick<Workload, 'kind' | 'object'>): Health {
  return BY_KIND[kind](object);
}

/** The worst of its workloads decides; the message names that workload. */
export function releaseHealth(workloads: readonly Workload[]): Health {
  const judged = workloads.map((workload) => ({ workload, health: workloadHealth(workload) }));
  const worst =
    judged.find(({ health }) => health.status === 'failed') ??
    judged.find(({ health }) => health.status === 'progressing');
  if (worst)
    return {
      status: worst.health.status,
      message: `${worst.workload.kind} ${worst.workload.name}: ${worst.health.message}`,
    };
  return {
    status: 'healthy',
    message: judged.map(({ workload, health }) => `${workload.kind} ${workload.name}: ${health.message}`).join('; '),
  };
}

/** What is said of a release that runs no pod, and is to run none. */
export const SCALED_TO_ZERO = 'scaled to zero: no pod runs, and none is to';

/** It has workloads that carry pods for good, and all of them are wanted with no replica. */
export function isScaledToZero(workloads: readonly Workload[]): boolean {
  return (
    workloads.length > 0 &&
    workloads.every(
      ({ kind, object }) =>
        (kind === 'Deployment' || kind === 'StatefulSet') && treeOf(treeOf(object)['spec'])['replicas'] === 0,
    )
  );
}

/** As the plan wants it. */
export function observedHealth(workloads: readonly Workload[]): ObservedHealth {
  const health = releaseHealth(workloads);
  return {
    healthy: health.status === 'healthy',
    reason: health.status === 'healthy' ? '' : health.message,
    jobFailed:
      health.status === 'failed' &&
      workloads.some((workload) => workload.kind === 'Job' && workloadHealth(workload).status === 'failed'),
  };
}
