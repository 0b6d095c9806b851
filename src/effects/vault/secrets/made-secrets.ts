/**
 * Kubernetes Secrets made from Vault, with their values: for comparison, and for the day on which Vault has lost them.
 */
import { decodedData, type KubernetesObject, paths } from '../../../clients/kubernetes/index.ts';
import type { Clients } from '../../../clients/index.ts';
import {
  MANAGED_BY,
  MANAGED_BY_LABEL,
  VAULT_PATH_ANNOTATION,
  VAULT_VERSION_ANNOTATION,
} from '../../../contract/names.ts';
import { isOursAlone } from '../../../plan/drift/vault/secret-owner.ts';
import { isOfAnother } from '../../../plan/ownership/owner-label.ts';
import { formerNames } from '../../owner/claim.ts';
import { registerSecretValues } from '../register-values.ts';

export interface MadeSecret {
  namespace: string;
  name: string;
  /** Vault path it was made from, and the number of its version; empty and 0 where it does not say. */
  path: string;
  version: number;
  /** By key, decoded. They stay in the activity. */
  values: Record<string, string>;
  object: KubernetesObject;
}

/** All that carry our label, and no other environment's name. Their values are registered with the redactor. */
export async function madeSecrets(
  clients: Pick<Clients, 'kubernetes' | 'catalog' | 'redactor' | 'environment'>,
  signal?: AbortSignal,
): Promise<MadeSecret[]> {
  const { items } = await clients.kubernetes.list(
    paths.secrets(),
    { labelSelector: `${MANAGED_BY_LABEL}=${MANAGED_BY}` },
    signal,
  );
  const { name } = clients.environment;
  const formerly = await formerNames(clients.kubernetes, name);
  const own = items.filter(({ metadata: { labels } }) => !isOfAnother(labels, name, formerly));
  return own.map((object) => asMade(clients, object));
}

export function asMade(
  { catalog, redactor }: Pick<Clients, 'catalog' | 'redactor'>,
  object: KubernetesObject,
): MadeSecret {
  const values = decodedData(object);
  const { name, namespace = '', annotations } = object.metadata;
  const path = annotations?.[VAULT_PATH_ANNOTATION] ?? '';
  registerSecretValues(
    redactor,
    catalog.secretPaths.find((declared) => declared.path === path),
    values,
  );
  return {
    namespace,
    name,
    path,
    version: Number.parseInt(annotations?.[VAULT_VERSION_ANNOTATION] ?? '0', 10) || 0,
    values,
    object,
  };
}

/** Whether the value is still the one that came from Vault. */
export function isAsMade({ object }: Pick<MadeSecret, 'object'>, key: string): boolean {
  return isOursAlone(object.metadata['managedFields'], ['data', key], MANAGED_BY);
}
