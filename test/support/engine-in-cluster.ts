/** The engine as the installation brings it into the cluster, as an environment's file says it. */
import type { Environment } from '../../src/environment/schema.ts';

type InCluster = Extract<Environment['engine'], { inCluster: unknown }>;

/** @param more what the file says beyond the defaults */
export function engineInCluster(more: Partial<InCluster['inCluster']> = {}): InCluster {
  return {
    inCluster: {
      namespace: 'ananta',
      retentionDays: 90,
      historyShards: 128,
      replicas: 1,
      storage: { size: '10Gi' },
      resources: {},
      ...more,
    },
  };
}
