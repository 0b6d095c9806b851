/**
 * Whose an object in one of the platform's namespaces is: what goes with the platform, what stays, and what is none of
 * our business. Pure.
 */
import type { Catalog } from '../../catalog/schema.ts';
import {
  INSTANCE_LABEL,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  OWNER_LABEL,
  RELEASE_LABELS,
  VAULT_REVIEWER_SERVICE_ACCOUNT,
} from '../../contract/names.ts';
import { isAccessObject } from '../access/identities.ts';
import { isOfAnother } from '../ownership/owner-label.ts';

export interface SeenObject {
  /** Empty for the core group. */
  group: string;
  kind: string;
  namespace: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  /** A controller made it: it goes with its owner. */
  owned: boolean;
}

export type ObjectOwnership =
  /** Made by the deployer, by Helm for a release of ours, or by a service of ours while it ran. */
  | 'ours'
  /** A claim of a release of ours: data. */
  | 'volume'
  /** In every namespace, or made and removed by controllers. */
  | 'automatic'
  | 'foreign';

/** Published into every namespace by clusters and meshes. */
const PUBLISHED: readonly string[] = [
  'ConfigMap kube-root-ca.crt',
  'ConfigMap openshift-service-ca.crt',
  'ConfigMap istio-ca-root-cert',
  'ServiceAccount default',
];
const PASSING: readonly string[] = ['Event', 'Lease', 'EndpointSlice', 'Endpoints', 'PodMetrics', 'ControllerRevision'];

/**
 * What the platform's services make for themselves while they run, without a mark of theirs, and what the API server
 * makes for the deployer: `<namespace> <kind> <name>`.
 */
export function madeAtRunTime({ services }: Pick<Catalog, 'services'>): ReadonlySet<string> {
  const { namespace, name } = VAULT_REVIEWER_SERVICE_ACCOUNT;
  return new Set([
    `${namespace} Secret ${name}-token`,
    ...services.flatMap((service) => service.makes.map((made) => `${service.namespace} ${made.kind} ${made.name}`)),
  ]);
}

/**
 * @param releases `<namespace>/<release>` of all releases of ours
 * @param environment whose releases they are
 * @param made what its services make for themselves
 * @param formerly environments that it took the cluster over from
 */
export function objectOwnershipOf(
  object: SeenObject,
  releases: ReadonlySet<string>,
  environment: string,
  made: ReadonlySet<string>,
  formerly: readonly string[] = [],
): ObjectOwnership {
  const { group, kind, namespace, name, labels, annotations } = object;
  // Whatever else it looks like.
  if (isOfAnother(labels, environment, formerly)) return 'foreign';
  if (group === '' && kind === 'PersistentVolumeClaim')
    return releases.has(`${namespace}/${labels[INSTANCE_LABEL] ?? ''}`) ? 'volume' : 'foreign';
  if (object.owned || PASSING.includes(kind) || PUBLISHED.includes(`${kind} ${name}`)) return 'automatic';
  if (kind === 'Secret' && annotations['kubernetes.io/service-account.name'] === 'default') return 'automatic';
  // Whoever takes the platform down works by them.
  if (isAccessObject(kind, name) && labels[MANAGED_BY_LABEL] === MANAGED_BY) return 'automatic';
  if (labels['owner'] === 'helm' && kind === 'Secret')
    return [environment, ...formerly].includes(labels[RELEASE_LABELS.environment] ?? '') ? 'ours' : 'foreign';
  if (labels[MANAGED_BY_LABEL] === MANAGED_BY || made.has(`${namespace} ${kind} ${name}`)) return 'ours';
  const release = annotations['meta.helm.sh/release-name'];
  // Helm's marks go before the label: who installs a copy with our values installs our label, too.
  if (release === undefined) return labels[OWNER_LABEL] === undefined ? 'foreign' : 'ours';
  return releases.has(`${annotations['meta.helm.sh/release-namespace'] ?? ''}/${release}`) ? 'ours' : 'foreign';
}

const MOST_NAMED = 5;

/** `Deployment a, ConfigMap b and 3 more` */
export function named(objects: readonly { kind: string; name: string }[]): string {
  const shown = objects
    .slice(0, MOST_NAMED)
    .map(({ kind, name }) => `${kind} ${name}`)
    .join(', ');
  return objects.length > MOST_NAMED ? `${shown} and ${objects.length - MOST_NAMED} more` : shown;
}
