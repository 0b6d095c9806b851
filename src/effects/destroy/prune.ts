/**
 * What no release holds, after the releases: Secrets made from Vault, the deployer's own objects, definitions,
 * namespaces and, if asked for, data. Objects of others are never deleted; a namespace that holds any, or volumes that
 * stay, stays with them.
 */
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { RemainingObject } from '../../contract/operations/deploy.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, VAULT, VAULT_REVIEWER_SERVICE_ACCOUNT } from '../../contract/names.ts';
import { named } from '../../plan/destroy/object-ownership.ts';
import { isOfAnother } from '../../plan/ownership/owner-label.ts';
import { definitionsToRemove } from './definitions.ts';
import { recordsToRemove } from './records.ts';
import { type Survey, survey, type SurveyedNamespace } from './survey.ts';
import { LOOK_MILLISECONDS, type StallTimeout, deleteAndWait, type Target } from './deletion.ts';
import { claimsOf, removeClaims } from './volumes.ts';
import { formerNames, ownNames } from '../owner/claim.ts';
import { markedByHelm } from '../release/orphans.ts';
import type { EffectScope } from '../effect.ts';

const DATA_STAY = 'data stay unless --delete-data is given';

export async function prune(
  clients: Clients,
  { deleteData }: InputOf<'removeRemains'>,
  scope: EffectScope,
): OutputOf<'removeRemains'> {
  const stall: StallTimeout = {
    seconds: clients.environment.deletionProgressDeadlineSeconds,
    lookMilliseconds: LOOK_MILLISECONDS,
  };
  const { signal } = scope;
  const { kubernetes } = clients;
  const onStatus = (text: string): void => {
    scope.doing(text);
  };
  scope.doing('looks at what is left');

  const removed: string[] = [];
  const remains: RemainingObject[] = [];
  const remove = async (targets: readonly Target[]): Promise<void> => {
    const stuck = await deleteAndWait(kubernetes, targets, stall, signal, onStatus);
    remains.push(...stuck);
    removed.push(
      ...targets
        .filter(
          ({ kind, namespace, name }) =>
            !stuck.some((one) => one.kind === kind && one.namespace === namespace && one.name === name),
        )
        .map(label),
    );
  };

  const first = await survey(clients, signal);
  await remove([...ownObjects(first), ...(await clusterScoped(clients, first, signal))]);
  const { targets: definitions, kept } = await definitionsToRemove(clients, first, signal);
  remains.push(...kept);
  await remove(definitions);

  if (deleteData) {
    const data = await removeClaims(kubernetes, first.namespaces.flatMap(claimsOf), stall, signal, onStatus);
    removed.push(...data.removed);
    remains.push(...data.remains);
    const aside = await putKeysAside(clients, first, data.remains);
    if (aside !== undefined) removed.push(aside);
  }

  const second = await survey(clients, signal);
  const { go, stay } = sorted(second.namespaces);
  remains.push(
    ...stay.filter(
      ({ kind, namespace, name }) =>
        !remains.some((one) => one.kind === kind && one.namespace === namespace && one.name === name),
    ),
  );
  await remove(go.map(({ name, uid }) => ({ kind: 'Namespace', name, path: paths.namespace(name), uid })));
  // As long as something cannot be deleted, the cluster keeps the record that it is this environment's.
  if (remains.some(({ state }) => state === 'stuck')) return { removed: removed.sort(), remains };
  const records = await recordsToRemove(clients, deleteData, signal);
  remains.push(...records.stay);
  await remove(records.go);
  return { removed: removed.sort(), remains };
}

/** What belongs to the platform in namespaces that nobody is deleting yet. */
function ownObjects({ namespaces }: Survey): Target[] {
  return namespaces
    .filter(({ deleting }) => !deleting)
    .flatMap(({ name: namespace, objects }) =>
      objects
        .filter(({ ownership }) => ownership === 'ours')
        .map(({ kind, path, object }) => ({
          kind: kind.kind,
          namespace,
          name: object.metadata.name,
          path,
          uid: object.metadata.uid,
        })),
    );
}

/** What belongs to no namespace: leftovers of releases, and the deployer's right to have tokens reviewed. */
async function clusterScoped(
  { kubernetes, environment }: Clients,
  { releases }: Survey,
  signal: AbortSignal,
): Promise<Target[]> {
  const owners = await ownNames(kubernetes, environment.name);
  const left = [...(await markedByHelm(kubernetes, owners, signal))]
    .filter(([key]) => releases.has(key))
    .flatMap(([, objects]) => objects)
    .filter(({ kind }) => !kind.namespaced);
  const path = paths.clusterRoleBinding(VAULT_REVIEWER_SERVICE_ACCOUNT.name);
  const binding = await kubernetes.get(path, signal);
  const own =
    binding?.metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY &&
    !isOfAnother(binding.metadata.labels, owners[0], owners.slice(1))
      ? [{ kind: 'ClusterRoleBinding', name: binding.metadata.name, path, uid: binding.metadata.uid }]
      : [];
  return [
    ...left.map(({ kind, path: of, object }) => ({
      kind: kind.kind,
      name: object.metadata.name,
      path: of,
      uid: object.metadata.uid,
    })),
    ...own,
  ];
}

/** Which namespaces may go; of the others, what holds them. */
function sorted(namespaces: readonly SurveyedNamespace[]): { go: SurveyedNamespace[]; stay: RemainingObject[] } {
  const go: SurveyedNamespace[] = [];
  const stay: RemainingObject[] = [];
  for (const namespace of namespaces) {
    const { name, ours, deleting, objects, unseen, unanswered } = namespace;
    const foreign = objects
      .filter(({ ownership }) => ownership === 'foreign')
      .map(({ kind, object }) => ({ kind: kind.kind, name: object.metadata.name }));
    const claims = claimsOf(namespace);
    const keep = (reason: string): void => {
      stay.push({ kind: 'Namespace', name, state: 'kept', reason });
    };
    if (deleting) {
      go.push(namespace);
      continue;
    }
    const reasons = [
      ...(ours ? [] : ['it was there before the platform']),
      ...(claims.length > 0 ? ['it holds volumes that stay'] : []),
      ...(unseen.length > 0
        ? [
            `it may hold ${unseen.join(', ')} of somebody, which the identity in use may not look at. Look with more rights, then: kubectl delete namespace ${name}`,
          ]
        : []),
      ...(unanswered.length > 0
        ? [
            `nobody could look whether somebody has objects in it: no answer for ${unanswered.slice(0, 3).join('; ')}${unanswered.length > 3 ? `; and ${unanswered.length - 3} more` : ''}. Once they answer, run destroy again`,
          ]
        : []),
      ...(foreign.length > 0
        ? [`it holds what is not ours: ${named(foreign)}. Once that may go: kubectl delete namespace ${name}`]
        : []),
    ];
    if (reasons.length === 0) go.push(namespace);
    else keep(reasons.join('; '));
    stay.push(
      ...claims.map(
        (claim): RemainingObject => ({
          kind: claim.kind,
          namespace: name,
          name: claim.name,
          state: 'kept',
          reason: DATA_STAY,
        }),
      ),
    );
    // Everything of ours was deleted before: what is there again, somebody makes.
    stay.push(
      ...objects
        .filter(({ ownership }) => ownership === 'ours' && reasons.length > 0)
        .map(
          ({ kind, object }): RemainingObject => ({
            kind: kind.kind,
            namespace: name,
            name: object.metadata.name,
            state: 'stuck',
            reason: 'it was deleted and is there again: something makes it anew',
          }),
        ),
    );
  }
  return { go, stay };
}

/**
 * The keys of a Vault whose data are gone open nothing but a backup of them: they are put aside, never deleted.
 * @returns in words, where there was anything to do
 */
async function putKeysAside(
  clients: Clients,
  { namespaces }: Survey,
  remains: readonly RemainingObject[],
): Promise<string | undefined> {
  const { vault, catalog } = clients;
  const home = catalog.services.find(({ name }) => name === VAULT.service)?.namespace;
  // Without a claim that has really gone nobody knows that the data have.
  const claims = namespaces.filter(({ name }) => name === home).flatMap(claimsOf);
  const left = remains.some(
    ({ kind, namespace, state, reason }) =>
      (kind === 'PersistentVolumeClaim' && namespace === home) ||
      (kind === 'PersistentVolume' && (state === 'stuck' || reason.includes(` ${home ?? ''}/`))),
  );
  if (left || !(await vault.keys.read().catch(() => undefined)) || (await keysOfAnother(clients))) return undefined;
  if (claims.length === 0 && (await vault.state()).state !== 'absent') return undefined;
  return `Vault's unseal keys: put aside as ${await vault.keys.putAside()}`;
}

/** The Secret that the environment's file names carries another environment's name. */
async function keysOfAnother({ kubernetes, environment }: Clients): Promise<boolean> {
  const { keys } = environment.vault;
  if (keys.store !== 'kubernetes') return false;
  const found = await kubernetes.get(paths.secret(keys.namespace, keys.name));
  return isOfAnother(found?.metadata.labels, environment.name, await formerNames(kubernetes, environment.name));
}

function label({ kind, namespace, name }: Target): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
