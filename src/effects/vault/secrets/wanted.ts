/** Kubernetes Secrets made from Vault: which of them are as they should be, decided from their metadata alone. */
import { z } from 'zod';
import { type KubernetesClient, type KubernetesObject, paths } from '../../../clients/kubernetes/index.ts';
import {
  MANAGED_BY,
  MANAGED_BY_LABEL,
  VAULT_PATH_ANNOTATION,
  VAULT_VERSION_ANNOTATION,
} from '../../../contract/names.ts';
import type { WantedSecret } from '../../../plan/vault/kubernetes-secrets.ts';

const ownedSchema = z.array(
  z.looseObject({
    manager: z.string().optional(),
    operation: z.string().optional(),
    fieldsV1: z.looseObject({ 'f:data': z.record(z.string(), z.unknown()).optional() }).optional(),
  }),
);

export const LACKS_A_LABEL = 'lacks a label';

/** All Secrets of ours, by `<namespace>/<name>`. One request, no values. */
export async function existingSecrets(
  kubernetes: KubernetesClient,
  signal?: AbortSignal,
): Promise<Map<string, KubernetesObject>> {
  const { items } = await kubernetes.list(
    paths.secrets(),
    { labelSelector: `${MANAGED_BY_LABEL}=${MANAGED_BY}`, metadataOnly: true },
    signal,
  );
  return new Map(items.map((secret) => [`${secret.metadata.namespace ?? ''}/${secret.metadata.name}`, secret]));
}

/**
 * Why a Secret has to be written; undefined when it is as wanted. A value that somebody edited by hand is noticed, too:
 * then the API server no longer counts the field as ours.
 */
export function staleness(
  wanted: WantedSecret,
  revision: string | undefined,
  found: KubernetesObject | undefined,
): string | undefined {
  if (!found) return 'is missing';
  const { annotations, labels } = found.metadata;
  if (annotations?.[VAULT_PATH_ANNOTATION] !== wanted.path || annotations[VAULT_VERSION_ANNOTATION] !== revision)
    return 'is older than its path in Vault';
  if (Object.entries(wanted.labels).some(([name, value]) => labels?.[name] !== value)) return LACKS_A_LABEL;
  const owned = ownedSchema.safeParse(found.metadata['managedFields']);
  const ours = owned.success
    ? owned.data.find(({ manager, operation }) => manager === MANAGED_BY && operation === 'Apply')?.fieldsV1?.['f:data']
    : undefined;
  const keys = Object.keys(ours ?? {})
    .map((field) => field.replace(/^f:/, ''))
    .sort();
  return JSON.stringify(keys) === JSON.stringify([...wanted.keys].sort())
    ? undefined
    : 'holds other keys, or was edited by hand';
}
