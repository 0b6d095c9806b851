/** Which kinds a survey looks at: those that releases apply, and those that people make by hand. */
import type { Kind, Kinds } from '../../clients/kubernetes/index.ts';

/** In the platform's namespaces, whether or not a release has any; the first ones with their specification. */
const WITH_SPECIFICATION = ['autoscaling/HorizontalPodAutoscaler', '/PersistentVolumeClaim'];
const BY_NAME = [
  'apps/Deployment',
  'apps/StatefulSet',
  'apps/DaemonSet',
  'batch/Job',
  'batch/CronJob',
  '/Pod',
  '/Service',
  '/ConfigMap',
  '/Secret',
  '/ServiceAccount',
  'rbac.authorization.k8s.io/Role',
  'rbac.authorization.k8s.io/RoleBinding',
  'networking.k8s.io/NetworkPolicy',
  'networking.k8s.io/Ingress',
  'policy/PodDisruptionBudget',
  '/ResourceQuota',
  '/LimitRange',
];
/** What these hold is never read as a list. */
const NEVER_WHOLE = ['/Secret'];

export function byKey({ kinds }: Kinds): Map<string, Kind> {
  return new Map(kinds.map((kind) => [`${kind.group}/${kind.kind}`, kind]));
}

export interface Look {
  key: string;
  kind: Kind;
  metadataOnly: boolean;
}

/** @param applied kinds of applied objects with the version they are applied in */
export function looks(served: ReadonlyMap<string, Kind>, applied: ReadonlyMap<string, string>): Look[] {
  const wanted = new Set([...applied.keys(), ...WITH_SPECIFICATION, ...BY_NAME]);
  return [...wanted].flatMap((key): Look[] => {
    const kind = served.get(key);
    if (kind === undefined) return [];
    const version = applied.get(key) ?? kind.version;
    return [
      {
        key,
        kind: { ...kind, version },
        metadataOnly: NEVER_WHOLE.includes(key) || !(applied.has(key) || WITH_SPECIFICATION.includes(key)),
      },
    ];
  });
}
