/**
 * The deployer's own records in the cluster: whose it is, versions, accepted drift. They outlive the platform, unless
 * everything is to go; what another environment, or anybody else, keeps beside them is never deleted.
 */
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import type { RemainingObject } from '../../contract/operations/deploy.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, OWNER_LABEL, RECORDS_NAMESPACE, RELEASE_LABELS } from '../../contract/names.ts';
import type { Environment } from '../../environment/schema.ts';
import { objectOwnershipOf, named } from '../../plan/destroy/object-ownership.ts';
import { driftStateName } from '../drift/state.ts';
import { formerNames } from '../owner/claim.ts';
import { type FoundObject, listAll, sweptKinds } from '../release/orphans.ts';
import { seen } from './survey.ts';
import type { Target } from './deletion.ts';

/** The command for a namespace that was left; not shown where it keeps the keys of a Vault. */
const DELETE = `kubectl delete namespace ${RECORDS_NAMESPACE}`;

/** @returns the namespace as a whole where all in it is ours, else our own objects one by one */
export async function recordsToRemove(
  { kubernetes, environment }: Pick<Clients, 'kubernetes' | 'environment'>,
  deleteData: boolean,
  signal: AbortSignal,
): Promise<{ go: Target[]; stay: RemainingObject[] }> {
  const path = paths.namespace(RECORDS_NAMESPACE);
  const namespace = await kubernetes.get(path, signal);
  if (!namespace) return { go: [], stay: [] };
  const keep = (reason: string): RemainingObject => ({
    kind: 'Namespace',
    name: RECORDS_NAMESPACE,
    state: 'kept',
    reason,
  });
  if (!deleteData)
    return {
      go: [],
      stay: [keep('it holds the history of the platform (versions, accepted drift), and whose cluster this is')],
    };
  const unseen: string[] = [];
  const kinds = (await sweptKinds(kubernetes, signal)).filter(({ namespaced }) => namespaced);
  const objects = await listAll(
    kubernetes,
    kinds,
    { namespace: RECORDS_NAMESPACE, unseen: ({ plural }) => unseen.push(plural) },
    signal,
  );
  const names = [environment.name, ...(await formerNames(kubernetes, environment.name))];
  const own = objects.filter((one) => isRecordOf(one, names));
  const keys = objects.filter((one) => isKeysOf(one, environment));
  const others = objects.filter((one) => !own.includes(one) && !keys.includes(one) && !isAutomatic(one, environment));
  const keysStay =
    environment.vault.keys.store === 'kubernetes' && environment.vault.keys.namespace === RECORDS_NAMESPACE;
  const reasons = [
    ...(namespace.metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY ? [] : ['it was there before the platform']),
    ...(keysStay ? ['it holds the keys of a Vault that a backup may need'] : []),
    ...(others.length > 0
      ? [
          `it holds what is not ours: ${named(others.map(({ kind, object }) => ({ kind: kind.kind, name: object.metadata.name })))}${keysStay ? '' : `. Once that may go: ${DELETE}`}`,
        ]
      : []),
    ...(unseen.length > 0
      ? [
          `it may hold ${unseen.sort().slice(0, 5).join(', ')} of somebody, which the identity in use may not look at${keysStay ? '' : `. Look with more rights, then: ${DELETE}`}`,
        ]
      : []),
  ];
  if (reasons.length === 0)
    return { go: [{ kind: 'Namespace', name: RECORDS_NAMESPACE, path, uid: namespace.metadata.uid }], stay: [] };
  const go = own.map(
    ({ kind, path: of, object: { metadata } }): Target => ({
      kind: kind.kind,
      namespace: RECORDS_NAMESPACE,
      name: metadata.name,
      path: of,
      uid: metadata.uid,
    }),
  );
  return { go, stay: [keep(reasons.join('; '))] };
}

/** By the owner's name on it; those of earlier versions have it in a label of their own, or in their name. */
function isRecordOf({ kind, object: { metadata } }: FoundObject, names: readonly string[]): boolean {
  const labels = metadata.labels ?? {};
  if (kind.kind !== 'ConfigMap' || labels[MANAGED_BY_LABEL] !== MANAGED_BY) return false;
  const owner = labels[OWNER_LABEL] ?? labels[RELEASE_LABELS.environment];
  return owner === undefined ? names.some((name) => metadata.name === driftStateName(name)) : names.includes(owner);
}

/** Of our Vault, and those that were put aside: never deleted. */
function isKeysOf({ kind, object: { metadata } }: FoundObject, { name, vault: { keys } }: Environment): boolean {
  if (kind.kind !== 'Secret' || keys.store !== 'kubernetes' || keys.namespace !== RECORDS_NAMESPACE) return false;
  const isNamed =
    metadata.name === keys.name || (metadata.name.startsWith(`${keys.name}-`) && metadata.name.endsWith('-old'));
  return isNamed && (metadata.labels?.[OWNER_LABEL] ?? name) === name;
}

function isAutomatic(one: FoundObject, { name }: Environment): boolean {
  return objectOwnershipOf(seen(one), new Set(), name, new Set()) === 'automatic';
}
