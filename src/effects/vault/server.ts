/** Vault's StatefulSet as it is: its pods, and which of them are older than its template. */
import { z } from 'zod';
import type { Clients } from '../../clients/index.ts';
import { type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import { INSTANCE_LABEL, VAULT } from '../../contract/names.ts';
import type { ObservedVaultServer } from '../../plan/observed.ts';

const setSchema = z.object({
  metadata: z.object({ generation: z.number().default(0) }),
  spec: z
    .object({
      replicas: z.number().nullish(),
      updateStrategy: z.object({ type: z.string().default('RollingUpdate') }).prefault({}),
    })
    .prefault({}),
  status: z.object({ observedGeneration: z.number().default(0), updateRevision: z.string().default('') }).prefault({}),
});
const configurationSchema = z.object({ data: z.record(z.string(), z.string()).nullish() });
/** Set by Kubernetes on each pod of a StatefulSet: which template it was made from. */
const REVISION_LABEL = 'controller-revision-hash';

export interface VaultPods {
  replicas: number;
  /** Nobody but the deployer replaces them. */
  onDelete: boolean;
  /** The status is about the newest template. */
  settled: boolean;
  outdated: { name: string; uid: string }[];
}

type Reading = Pick<Clients, 'catalog'> & { kubernetes: Pick<Clients['kubernetes'], 'get' | 'list'> };

/** @returns undefined when there is no StatefulSet of Vault */
export async function vaultPods(
  { kubernetes, catalog }: Reading,
  signal?: AbortSignal,
): Promise<VaultPods | undefined> {
  const namespace = namespaceOf(catalog);
  const found = await kubernetes.get(`${paths.statefulSets(namespace)}/${VAULT.service}`, signal);
  if (found === undefined) return undefined;
  const { metadata, spec, status } = setSchema.parse(found);
  const onDelete = spec.updateStrategy.type === 'OnDelete';
  const pods = onDelete
    ? (await kubernetes.list(paths.pods(namespace), { labelSelector: `${INSTANCE_LABEL}=${VAULT.service}` }, signal))
        .items
    : [];
  const isOld = ({ metadata: { labels, deletionTimestamp } }: KubernetesObject): boolean =>
    !deletionTimestamp &&
    labels?.[REVISION_LABEL] !== undefined &&
    status.updateRevision !== '' &&
    labels[REVISION_LABEL] !== status.updateRevision;
  return {
    replicas: spec.replicas ?? 1,
    onDelete,
    settled: status.observedGeneration >= metadata.generation,
    outdated: pods
      .filter(isOld)
      .map((pod) => ({ name: pod.metadata.name, uid: pod.metadata.uid }))
      .sort((a, b) => b.name.localeCompare(a.name, 'en', { numeric: true })),
  };
}

/** For the plan; the configuration is the one that the release brought along, whichever chart it is. */
export async function observeVaultServer(
  clients: Reading,
  signal?: AbortSignal,
): Promise<ObservedVaultServer | undefined> {
  const pods = await vaultPods(clients, signal);
  if (pods === undefined) return undefined;
  const found = await clients.kubernetes.get(
    paths.configMap(namespaceOf(clients.catalog), `${VAULT.service}-config`),
    signal,
  );
  const configuration = Object.values(configurationSchema.parse(found ?? {}).data ?? {}).join('\n');
  return {
    replicas: pods.replicas,
    outdatedPods: pods.outdated.length,
    ...(found === undefined ? {} : { configuration }),
  };
}

export function namespaceOf(catalog: Clients['catalog']): string {
  return catalog.services.find(({ name }) => name === VAULT.service)?.namespace ?? 'vault-system';
}
