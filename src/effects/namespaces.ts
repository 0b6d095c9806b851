import type { Clients } from '../clients/index.ts';
import { type KubernetesObject, managersOf, paths } from '../clients/kubernetes/index.ts';
import type { Catalog } from '../catalog/schema.ts';
import type { InputOf, OutputOf } from '../contract/activities.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, NAMESPACE_CREATED_ANNOTATION, OWNER_LABEL } from '../contract/names.ts';
import { awaitNamespacesGone, isTerminating } from './release/removal/terminating.ts';
import type { EffectScope } from './effect.ts';

type Namespace = Catalog['namespaces'][number];

/**
 * Creates what is missing of the platform's namespaces, and sets the labels that ours must have. One that is being
 * deleted is waited for.
 */
export async function ensureNamespaces(
  clients: Clients,
  run: InputOf<'ensureNamespaces'>,
  scope: EffectScope,
): OutputOf<'ensureNamespaces'> {
  scope.doing('namespaces');

  const { kubernetes, catalog } = clients;
  const list = async (): Promise<KubernetesObject[]> =>
    (await kubernetes.list(paths.namespaces, { metadataOnly: true }, scope.signal)).items;
  let items = await list();
  const missing = catalog.namespaces.filter((namespace) => !isAsWanted(namespace, items));
  if (missing.length === 0) return { created: [] };
  const going = items.filter((item) => isTerminating(item) && missing.some(({ name }) => name === item.metadata.name));
  if (going.length > 0) {
    await awaitNamespacesGone(kubernetes, going, scope.signal, (text) => {
      scope.doing(text);
    });
    // Somebody may have been faster.
    items = await list();
  }
  await Promise.all(
    missing.map((namespace) =>
      clients.kubernetes.apply(
        paths.namespace(namespace.name),
        {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: {
            name: namespace.name,
            labels: { ...namespaceLabels(namespace), ...ownerLabel(namespace, items, run.environment) },
            annotations: { 'ananta.dev/purpose': namespace.purpose, ...createdMark(namespace, items) },
          },
        },
        { force: wasOurs(namespace.name, items) },
        scope.signal,
      ),
    ),
  );
  return { created: missing.map(({ name }) => name) };
}

/** Only on what the deployer has made: a namespace that it found is nobody's to name. */
function ownerLabel(
  namespace: Namespace,
  existing: readonly KubernetesObject[],
  environment: string,
): Record<string, string> {
  return NAMESPACE_CREATED_ANNOTATION in createdMark(namespace, existing) ? { [OWNER_LABEL]: environment } : {};
}

/** Set when it is created, and kept from then on. */
function createdMark({ name }: Namespace, existing: readonly KubernetesObject[]): Record<string, string> {
  const found = existing.find(({ metadata }) => metadata.name === name)?.metadata;
  return found === undefined || found.annotations?.[NAMESPACE_CREATED_ANNOTATION] !== undefined
    ? { [NAMESPACE_CREATED_ANNOTATION]: 'true' }
    : {};
}

/**
 * Made by the deployer: then what somebody else has written over its labels is taken back. Anybody else's is not taken
 * over.
 */
function wasOurs(name: string, existing: readonly KubernetesObject[]): boolean {
  const found = existing.find(({ metadata }) => metadata.name === name);
  return found !== undefined && managersOf(found).some(({ manager }) => manager === MANAGED_BY);
}

/** One that is being deleted is not as wanted. */
export function isAsWanted(namespace: Namespace, existing: readonly KubernetesObject[]): boolean {
  const found = existing.find(({ metadata }) => metadata.name === namespace.name)?.metadata;
  return (
    found !== undefined &&
    !found.deletionTimestamp &&
    Object.entries(namespaceLabels(namespace)).every(([name, value]) => found.labels?.[name] === value)
  );
}

/** Labels that a namespace of the platform must have. */
export function namespaceLabels({ podSecurity }: Namespace): Record<string, string> {
  return {
    [MANAGED_BY_LABEL]: MANAGED_BY,
    'pod-security.kubernetes.io/enforce': podSecurity,
    'pod-security.kubernetes.io/warn': podSecurity,
  };
}
