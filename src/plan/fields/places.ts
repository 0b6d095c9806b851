/**
 * Whose a field is that a release did not apply, by where it stands. The one table that drift, repair, plan and apply
 * share; docs/understand/ownership.md shows it to people.
 */
import { type Path, pathText } from './path.ts';

export type Place =
  /** Belongs to whoever wrote it, people included. */
  | 'theirs'
  /** Ours, since everything in it counts: an addition is drift, whoever wrote it. */
  | 'ours'
  /** The same, as far as the release says anything about that part; otherwise as `shared`. */
  | 'ours where applied'
  /** An addition by hand is drift; one by a controller is the controller's. */
  | 'shared';

interface Rule {
  /** Absent: of every kind. */
  kinds?: readonly string[];
  /** Of the path as people read it. */
  field: RegExp;
  place: Place;
}

const GRANTS = ['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding', 'NetworkPolicy'];

/** The first that fits decides. */
const RULES: readonly Rule[] = [
  // Whoever put a finalizer there still has something to do before the object may go.
  { field: /^metadata\.(finalizers|ownerReferences)\b/, place: 'theirs' },
  { field: /^status\b/, place: 'theirs' },
  // `kubectl rollout restart`, `kubectl apply`, and what the controllers of workloads note down.
  {
    field:
      /(^|\.)metadata\.annotations\[(kubectl\.kubernetes\.io\/(restartedAt|last-applied-configuration)|deployment\.kubernetes\.io\/[\w-]+|kubernetes\.io\/change-cause)\]$/,
    place: 'theirs',
  },
  // Put there by whoever signs: cert-manager, the service CA, the webhook itself.
  { field: /(^|\.)caBundle$/, place: 'theirs' },
  // OpenShift and cloud registries give every account what it needs for their registry.
  { kinds: ['ServiceAccount'], field: /^(secrets|imagePullSecrets)\b/, place: 'theirs' },
  // Allocated by the cluster or its load balancer.
  {
    kinds: ['Service'],
    field: /^spec\.(clusterIPs?|ipFamilies|ipFamilyPolicy|healthCheckNodePort|ports\[.*\]\.nodePort)\b/,
    place: 'theirs',
  },
  { kinds: ['PersistentVolumeClaim'], field: /^spec\.volumeName$/, place: 'theirs' },
  // Rights, and who may reach what: each entry more is another right.
  { kinds: GRANTS, field: /^(?!metadata\b)/, place: 'ours' },
  // A reader of a ConfigMap reads all its keys, so an added one is drift. One that the release leaves empty is filled
  // by a controller.
  { kinds: ['ConfigMap'], field: /^(data|binaryData)\b/, place: 'ours where applied' },
];

export function placeOf(kind: string, path: Path): Place {
  const text = pathText(path);
  return (
    RULES.find(({ kinds, field }) => (kinds === undefined || kinds.includes(kind)) && field.test(text))?.place ??
    'shared'
  );
}

/** Such a field is not reported, and nothing of ours sets or removes it. */
export function isTheirs(kind: string, path: Path): boolean {
  return placeOf(kind, path) === 'theirs';
}
