/**
 * A release applied once more from Helm's own record: an earlier revision, or the newest again. Neither chart nor
 * values of the checkout are looked at, so that what comes back is exactly what was there.
 */
import { DeployError } from '../../contract/errors.ts';
import type { Clients } from '../../clients/index.ts';
import { type ReapplyRequest, readStoredRelease, type StoredRelease } from '../../clients/helm/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import type { ApplyReleaseInput } from '../../contract/activities.ts';
import { FAILURES } from '../../contract/failures.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { leftLabel, type LeftField, markOf, marksOf, REPLICAS, withoutLeftFields } from '../../plan/fields/left.ts';
import { descriptionOf, NO_PROOF } from '../../plan/ownership/provenance.ts';
import { readProofs } from '../vault/proofs.ts';
import { isRecordEdited, type JudgedRevision, judgedRevisionsOf } from './provenance.ts';
import { proofLabels } from './prove.ts';
import { applierLabels } from './applier.ts';
import { handOver } from '../fields/left.ts';
import { keptSizes } from '../growing/kept.ts';
import { newestRevision, revisionsOf } from './revisions.ts';

type Claiming = Pick<Clients, 'kubernetes' | 'vault' | 'redactor' | 'environment' | 'config'>;

/**
 * Whether an attempt of this very run came to its end: the revision it left is newer than the one it goes back to, and
 * of the same content.
 */
export function isRestored({ run, step }: ApplyReleaseInput, found: JudgedRevision | undefined): boolean {
  return (
    found?.status === 'deployed' &&
    found.provenance !== 'foreign' &&
    found.labels[RELEASE_LABELS.run] === run.runId &&
    found.labels[RELEASE_LABELS.digest] === step.digest &&
    found.revision > (step.toRevision ?? Infinity)
  );
}

/**
 * @throws DeployError PlanOutdated when Helm no longer has the revision, another content under its number, or a record
 * that somebody has edited since
 */
export async function assertRestorable(
  clients: Claiming,
  { step }: ApplyReleaseInput,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, toRevision } = step;
  const target = (await judgedRevisionsOf(clients, step, signal)).find(({ revision }) => revision === toRevision);
  if (target === undefined)
    throw new DeployError(
      FAILURES.planOutdated,
      `Helm's record of revision ${toRevision} of ${namespace}/${name} is gone, so there is nothing to go back to. Nothing was changed; deploy instead.`,
    );
  if (target.provenance === 'foreign')
    throw new DeployError(
      FAILURES.planOutdated,
      `Revision ${toRevision} of ${namespace}/${name} was not written by a deployment of ours, but by ${target.manager}. Nothing was changed; plan again.`,
    );
  const digest = target.labels[RELEASE_LABELS.digest] ?? 'unknown';
  if (digest !== step.digest)
    throw new DeployError(
      FAILURES.planOutdated,
      `Revision ${toRevision} of ${namespace}/${name} was planned as ${step.digest}, but is ${digest}. Nothing was changed; plan again.`,
    );
  if (await isRecordEdited(clients, target, signal))
    throw new DeployError(
      FAILURES.planOutdated,
      `Helm's record of revision ${toRevision} of ${namespace}/${name} no longer holds what was deployed: somebody has edited it since, so it is not gone back to. Nothing was changed; plan again, or deploy instead.`,
    );
}

export interface Restoring {
  signal: AbortSignal;
  onTurn: () => Promise<void>;
  /** Fields of the release that are left to others now, whatever the revision says of them. */
  left?: readonly LeftField[];
  /** The revision, where it was read already. */
  stored?: StoredRelease | undefined;
}

export interface Restored {
  revision: number;
  /** Sizes of volumes that the revision had otherwise, and that stay. */
  kept: string[];
}

/**
 * @returns with the new revision, which bears the labels of this run. Also one that failed does, so that the next
 * attempt knows it.
 */
export async function restore(
  clients: Claiming & Pick<Clients, 'helm'>,
  input: ApplyReleaseInput,
  { signal, onTurn, left = [], stored }: Restoring,
): Promise<Restored> {
  const { run, step, priority } = input;
  const { namespace, name: release, toRevision: revision = 0 } = step;
  const description = descriptionOf(run.runId, step.digest);
  const { runId, clusterUid } = run;
  const call = { namespace, release, revision, runId, clusterUid, description, priority, signal, onTurn };
  let kept: string[] = [];
  try {
    await keepReplicas(clients.kubernetes, step, left, signal);
    const known = stored ?? (await readStoredRelease(clients.kubernetes, namespace, release, revision, signal));
    const sizes = known === undefined ? undefined : await keptSizes(clients.kubernetes, known, step, signal);
    kept = sizes?.kept ?? [];
    const without =
      known === undefined || sizes === undefined
        ? undefined
        : await changedManifest(
            clients,
            input,
            known,
            withoutLeftFields(sizes.manifest, left, namespace),
            left,
            signal,
          );
    if (without === undefined) await clients.helm.rollback(call);
    else await clients.helm.reapply({ ...call, ...without });
  } catch (error) {
    // Also when this was cancelled: Helm has ended by now. What went wrong matters more than whether this succeeds.
    await claim(clients, input, { succeeded: false }).catch(() => undefined);
    throw error;
  }
  return { revision: await claim(clients, input), kept };
}

/** @returns undefined where it is the revision's own: then Helm's own rollback does */
async function changedManifest(
  { kubernetes, config, environment }: Pick<Clients, 'kubernetes' | 'config' | 'environment'>,
  { run, service, step }: ApplyReleaseInput,
  stored: StoredRelease,
  manifest: string,
  left: readonly LeftField[],
  signal: AbortSignal,
): Promise<Pick<ReapplyRequest, 'stored' | 'manifest' | 'labels'> | undefined> {
  if (manifest === stored.manifest) return undefined;
  const labels = await labelsOf(kubernetes, step, signal);
  const hooks = stored.hooks.map((hook) => `---\n# Source: ${hook.path}\n${hook.manifest}\n`);
  return {
    stored,
    manifest: [manifest.trimEnd(), '', ...hooks].join('\n'),
    labels: {
      ...labels,
      [RELEASE_LABELS.run]: run.runId,
      [RELEASE_LABELS.service]: service,
      ...(await applierLabels({ config, environment })),
      [RELEASE_LABELS.left]: leftLabel(left),
      [RELEASE_LABELS.proof]: NO_PROOF,
    },
  };
}

/** Of ours, those of the revision gone back to. */
async function labelsOf(
  kubernetes: Clients['kubernetes'],
  { namespace, name, toRevision }: ApplyReleaseInput['step'],
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const target = (await revisionsOf(kubernetes, namespace, name, signal)).find(
    ({ revision }) => revision === toRevision,
  );
  const ours: string[] = Object.values(RELEASE_LABELS);
  return Object.fromEntries(Object.entries(target?.labels ?? {}).filter(([label]) => ours.includes(label)));
}

/**
 * A revision that left replicas to an autoscaler says nothing of them. Where there is none any more, and Helm claims
 * them by now, they would go back to one: so they stay as many as they are until the next deployment.
 */
async function keepReplicas(
  kubernetes: Clients['kubernetes'],
  step: ApplyReleaseInput['step'],
  left: readonly LeftField[],
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = step;
  const marks = marksOf((await labelsOf(kubernetes, step, signal))[RELEASE_LABELS.left]);
  if (marks.length === 0) return;
  const known = (['Deployment', 'StatefulSet'] as const).flatMap((kind) =>
    kubernetes.watches.of(kind, namespace, name).map(({ metadata }) => ({ kind, name: metadata.name })),
  );
  for (const workload of known) {
    const field: LeftField = { ...workload, namespace, field: REPLICAS, owner: '' };
    if (!marks.includes(markOf(field)) || left.some((now) => markOf(now) === markOf(field))) continue;
    const path = `${workload.kind === 'Deployment' ? paths.deployments(namespace) : paths.statefulSets(namespace)}/${workload.name}`;
    const object = await kubernetes.get(path, signal);
    if (object !== undefined) await handOver(kubernetes, { path, object, left: [field] }, signal);
  }
}

/**
 * Helm has copied the labels of the revision gone back to: the new one gets those of this run, and its own proof.
 * @returns number of the newest revision
 * @throws DeployError HelmInterrupted where Helm could not record that it is deployed
 */
export async function claim(
  clients: Claiming,
  { run, service, step }: ApplyReleaseInput,
  { succeeded }: { succeeded: boolean } = { succeeded: true },
): Promise<number> {
  const { kubernetes } = clients;
  // Also when this was cancelled: what Helm has finished counts.
  const newest = await newestRevision(kubernetes, step.namespace, step.name);
  if (!newest || newest.revision <= (step.toRevision ?? Infinity))
    throw new DeployError(
      FAILURES.unexpected,
      `helm rollback ${step.name} ${step.toRevision} in ${step.namespace} left no new revision`,
    );
  const path = paths.secret(newest.secret.namespace, newest.secret.name);
  const labels = {
    [RELEASE_LABELS.run]: run.runId,
    [RELEASE_LABELS.service]: service,
    ...(await applierLabels(clients)),
  };
  const proof = succeeded ? await proofLabels(await kubernetes.get(path), await readProofs(clients), labels) : {};
  await kubernetes.label(path, { ...labels, ...proof });
  if (succeeded && newest.status !== 'deployed')
    throw new DeployError(
      FAILURES.helmInterrupted,
      `Helm has applied ${step.name} in ${step.namespace} and could not record it: revision ${newest.revision} is ${newest.status} in it. What it applied stays, and is adopted by the next attempt`,
    );
  return newest.revision;
}
