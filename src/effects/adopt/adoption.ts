/** What taking a service over means: the releases in its place that are not ours, with all that they hold. */
import { z } from 'zod';
import { readStoredRelease } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import type { AdoptedRelease } from '../../contract/operations/adopt.ts';
import { INSTANCE_LABEL } from '../../contract/names.ts';
import { manifestObjects } from '../../plan/diff/manifest.ts';
import { digestOf } from '../../plan/digest.ts';
import { foreignText } from '../../plan/ownership/foreign.ts';
import { type ForeignRelease, releaseKey } from '../../plan/observed.ts';
import { PlanRefusedError } from '../../plan/charts/source.ts';
import { foreignReleases } from '../release/ours.ts';
import { allJudgedRevisions } from '../release/provenance.ts';

export interface Adoption {
  releases: AdoptedRelease[];
  /** Over all of it. */
  digest: string;
}

export type Adopting = Pick<Clients, 'kubernetes' | 'catalog' | 'environment' | 'vault' | 'redactor'>;

const statefulSetSchema = z.object({
  spec: z.object({
    persistentVolumeClaimRetentionPolicy: z.object({ whenDeleted: z.string().optional() }).nullish(),
    volumeClaimTemplates: z
      .array(z.object({ metadata: z.object({ name: z.string() }) }))
      .nullish()
      .transform((templates) => templates ?? []),
  }),
});
/** Of which somebody's Helm is not at work, and which Helm upgrades. */
export const SETTLED: readonly string[] = ['deployed', 'failed', 'superseded'];

/**
 * Changes nothing.
 * @throws PlanRefusedError when there is nothing to take over, or it cannot be done without harm; DamagedRecordError
 */
export async function adoptionOf(clients: Adopting, service: string, signal: AbortSignal): Promise<Adoption> {
  return adoptionAmong(clients, service, await strangersOf(clients, signal), signal);
}

/** All of Helm's records, and those of them that stand in the place of ours. */
export interface Strangers {
  revisions: Awaited<ReturnType<typeof allJudgedRevisions>>['revisions'];
  foreign: ReadonlyMap<string, ForeignRelease>;
}

export async function strangersOf(clients: Adopting, signal: AbortSignal): Promise<Strangers> {
  const { revisions } = await allJudgedRevisions(clients, signal);
  return { revisions, foreign: await foreignReleases(clients, revisions, signal) };
}

/** As `adoptionOf`, of what was read already. */
export async function adoptionAmong(
  clients: Adopting,
  service: string,
  { revisions, foreign: all }: Strangers,
  signal: AbortSignal,
): Promise<Adoption> {
  const foreign = [...all].filter(([, one]) => one.service === service);
  if (foreign.length === 0)
    throw new PlanRefusedError(
      `There is nothing of "${service}" to take over: no release of its names is somebody else's.`,
    );
  const releases = await Promise.all(
    foreign.map(([, one]) =>
      releaseOf(clients, one, revisions.get(releaseKey(one.namespace, one.name))?.at(-1)?.secret.uid ?? '', signal),
    ),
  );
  return {
    releases,
    digest: digestOf(
      releases.map(({ namespace, name, revision, uid, claims }) => [namespace, name, revision, uid, claims]),
    ),
  };
}

async function releaseOf(
  { kubernetes, environment }: Adopting,
  foreign: ForeignRelease,
  uid: string,
  signal: AbortSignal,
): Promise<AdoptedRelease> {
  const { namespace, name, revision, status } = foreign;
  const refuse = (why: string): PlanRefusedError =>
    new PlanRefusedError(`Release ${name} in ${namespace} is not taken over: ${why}. Nothing was changed.`);
  const { environment: of } = foreign;
  if (of !== undefined && of !== environment.name)
    throw refuse(
      `a deployment to environment "${of}" made it, and that environment would take it back. Let "${of}" give it up first (its destroy, or: helm uninstall ${name} --namespace ${namespace}); a cluster as a whole changes hands with: npm run ananta -- rebind --env ${environment.name} --take-over`,
    );
  if (!SETTLED.includes(status))
    throw refuse(
      `revision ${revision} is ${status}, so its owner's Helm may be at work on it. Try again when it has ended`,
    );
  const stored = await readStoredRelease(kubernetes, namespace, name, revision, signal);
  if (stored === undefined) throw refuse('its record has just gone');
  const objects = manifestObjects(stored.manifest);
  const sets = objects.flatMap(({ kind, name: set, object }) =>
    kind === 'StatefulSet' ? [{ set, ...statefulSetSchema.parse(object).spec }] : [],
  );
  const deleting = sets.find(({ persistentVolumeClaimRetentionPolicy: policy }) => policy?.whenDeleted === 'Delete');
  if (deleting !== undefined)
    throw refuse(
      `its StatefulSet ${deleting.set} takes its claims along when it goes (persistentVolumeClaimRetentionPolicy). Let them stay first: kubectl --namespace ${namespace} patch statefulset ${deleting.set} --type merge --patch '{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain"}}}', and in its chart`,
    );
  const { items } = await kubernetes.list(paths.persistentVolumeClaims(namespace), { metadataOnly: true }, signal);
  const made = new Set(objects.filter(({ kind }) => kind === 'PersistentVolumeClaim').map((claim) => claim.name));
  const prefixes = sets.flatMap(({ set, volumeClaimTemplates }) =>
    volumeClaimTemplates.map(({ metadata }) => `${metadata.name}-${set}-`),
  );
  const claims = items
    .filter(
      ({ metadata }) =>
        made.has(metadata.name) ||
        metadata.labels?.[INSTANCE_LABEL] === name ||
        prefixes.some((prefix) => metadata.name.startsWith(prefix) && /^\d+$/.test(metadata.name.slice(prefix.length))),
    )
    .map(({ metadata }) => metadata.name)
    .sort();
  return {
    namespace,
    name,
    revision,
    uid,
    by: foreign.by,
    text: foreignText(foreign, environment.name),
    objects: objects.map(({ kind, name: object }) => `${kind} ${object}`).sort(),
    claims,
    // What they hold nobody else may have: the chart that follows may not make them.
    secrets: objects
      .filter(({ kind }) => kind === 'Secret')
      .map(({ name: secret }) => secret)
      .sort(),
  };
}
