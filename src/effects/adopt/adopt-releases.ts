/**
 * From now on a release that somebody else has made counts as ours. Nothing of it is applied or deleted: its claims and
 * Secrets are marked so that Helm keeps them, then its record is marked. The next deployment upgrades it to what the
 * catalog says.
 */
import type { Clients } from '../../clients/index.ts';
import { helmSecretName } from '../../clients/helm/index.ts';
import { isNotFound, paths } from '../../clients/kubernetes/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { AdoptedRelease } from '../../contract/operations/adopt.ts';
import {
  ADOPTED_AT_ANNOTATION,
  ADOPTED_BY_ANNOTATION,
  KEPT_FOR_ANNOTATION,
  RELEASE_LABELS,
} from '../../contract/names.ts';
import { PlanRefusedError } from '../../plan/charts/source.ts';
import { RESOURCE_POLICY } from '../../plan/inputs/helm-marks.ts';
import { applierLabel, isAdopted } from '../../plan/ownership/foreign.ts';
import { helmReleasesOf } from '../../plan/releases.ts';
import { assertShown } from '../plan/binding.ts';
import { revisionsOf } from '../release/revisions.ts';
import type { EffectScope } from '../effect.ts';
import { adoptionOf } from './adoption.ts';
import { giveBack, shownDigest } from './give-back.ts';

/** No digest of a content: whatever the catalog says differs from it. */
const UNKNOWN_DIGEST = 'adopted';

export async function adoptReleases(
  clients: Clients,
  { run, service, requestedBy, plan, undo }: InputOf<'adoptReleases'>,
  scope: EffectScope,
): OutputOf<'adoptReleases'> {
  if (undo) return { adopted: await giveBack(clients, service, plan, scope) };
  scope.doing('takes over what was shown');

  const { kubernetes, catalog } = clients;
  const done = await adoptedBy(run.runId);
  // An attempt before this one may have been cut off between two releases, or before it could report the last.
  if (done.length > 0 && (await nothingLeft())) return { adopted: done };
  const { releases, digest } = await adoptionOf(clients, service, scope.signal);
  if (done.length === 0) assertShown(shownDigest(plan, service), plan, digest);
  for (const release of releases) await adopt(release);
  return { adopted: [...done, ...releases.map(({ namespace, name }) => `${namespace}/${name}`)].sort() };

  async function adopt({ namespace, name, revision, uid, by, claims, secrets = [] }: AdoptedRelease): Promise<void> {
    const kept = [
      ...claims.map((claim) => `${paths.persistentVolumeClaims(namespace)}/${claim}`),
      ...secrets.map((secret) => paths.secret(namespace, secret)),
    ];
    for (const path of kept) await keep(path, name);
    await kubernetes.label(
      paths.secret(namespace, helmSecretName(name, revision)),
      {
        [RELEASE_LABELS.environment]: run.environment,
        [RELEASE_LABELS.service]: service,
        [RELEASE_LABELS.platform]: catalog.name,
        [RELEASE_LABELS.run]: run.runId,
        [RELEASE_LABELS.digest]: UNKNOWN_DIGEST,
        [RELEASE_LABELS.adopted]: String(revision),
        ...(by === undefined ? {} : applierLabel(by)),
      },
      scope.signal,
      {
        annotations: { [ADOPTED_BY_ANNOTATION]: requestedBy, [ADOPTED_AT_ANNOTATION]: new Date().toISOString() },
        uid,
      },
    );
  }

  /** What its owner has marked already keeps that mark when it is given back. */
  async function keep(path: string, name: string): Promise<void> {
    const object = await kubernetes.get(path, scope.signal);
    if (object === undefined || object.metadata.annotations?.[RESOURCE_POLICY] === 'keep') return;
    await kubernetes
      .label(path, {}, scope.signal, { annotations: { [RESOURCE_POLICY]: 'keep', [KEPT_FOR_ANNOTATION]: name } })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }

  async function adoptedBy(runId: string): Promise<string[]> {
    const found = await Promise.all(
      helmReleasesOf(catalog, service).map(async ({ namespace, name }) => {
        const newest = (await revisionsOf(kubernetes, namespace, name, scope.signal)).at(-1);
        const taken = newest !== undefined && isAdopted(newest) && newest.labels[RELEASE_LABELS.run] === runId;
        return taken ? [`${namespace}/${name}`] : [];
      }),
    );
    return found.flat();
  }

  async function nothingLeft(): Promise<boolean> {
    return adoptionOf(clients, service, scope.signal).then(
      () => false,
      (error: unknown) => {
        if (error instanceof PlanRefusedError) return true;
        throw error;
      },
    );
  }
}
