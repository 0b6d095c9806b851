/**
 * One Helm release, brought to exactly what was planned: from the checkout, or from a revision in Helm's history.
 * Running it again after a lost acknowledgement, a killed worker or a killed Helm leads to the same end.
 */
import { currentEnvironment } from '../environment.ts';
import { DeployError } from '../../contract/errors.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  HelmError,
  helmSecretName,
  readStoredRelease,
  type StoredRelease,
  type UpgradeRequest,
} from '../../clients/helm/index.ts';
import type { Catalog } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import type { ApplyReleaseInput, InputOf, OutputOf } from '../../contract/activities.ts';
import { FAILURES } from '../../contract/failures.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import type { Environment } from '../../environment/schema.ts';
import { leftLabel, type LeftField, withoutLeftFields } from '../../plan/fields/left.ts';
import { jobHealth } from '../../plan/health/index.ts';
import { releaseInputs, type ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { labelledManifest } from '../../plan/ownership/owner-label.ts';
import { descriptionOf, NO_PROOF } from '../../plan/ownership/provenance.ts';
import { allReleases, findRelease } from '../../plan/releases.ts';
import { handOver, leftIn } from '../fields/left.ts';
import { ownNames } from '../owner/claim.ts';
import { takeBack } from '../fields/take-back.ts';
import { writeEvidence } from '../evidence/index.ts';
import { applierLabels } from './applier.ts';
import { archivedDefinitions, awaitEstablished, definitionsOf, installedDefinitions } from './crds.ts';
import { jobsOf, removeJobs } from './jobs.ts';
import { explainTakenPort } from './leaked-port.ts';
import { restartReaders } from './restart.ts';
import { assertRestorable, claim, isRestored, restore } from './restore.ts';
import { type JudgedRevision, judgedRevisionsOf } from './provenance.ts';
import { proveRevision } from './prove.ts';
import { putBackDefinitions } from './lost-definitions.ts';
import { assertObjectsOurs } from './objects.ts';
import { assertOurs } from './ours.ts';
import { newestRevision } from './revisions.ts';
import { explainTerminating } from './terminating.ts';
import { type Release, unlockRelease } from './recover.ts';
import { settleUninstalling } from './uninstalling.ts';
import type { EffectScope } from '../effect.ts';

/** Helm's discovery may be a moment behind a definition that was just established. */
const KIND_UNKNOWN_PAUSE_MILLISECONDS = 2000;

/** One release of the catalog, from the checkout. */
export async function applyRelease(
  clients: Clients,
  input: InputOf<'applyRelease'>,
  scope: EffectScope,
): OutputOf<'applyRelease'> {
  // Workflows of earlier versions ask for it so.
  if (input.step.toRevision !== undefined) return rollbackRelease(clients, input, scope);
  scope.doing('looks at what is there');
  const environment = await currentEnvironment(clients);
  return applyInputs(clients, environment, input, await plannedInputs(clients, environment, input), scope);
}

/** One release, from a revision in Helm's history. */
export async function rollbackRelease(
  clients: Clients,
  input: InputOf<'rollbackRelease'>,
  scope: EffectScope,
): OutputOf<'rollbackRelease'> {
  scope.doing('looks at what is there');
  return applyInputs(clients, await currentEnvironment(clients), input, undefined, scope);
}

/**
 * Any release, whoever knows what it is made from: the deployer's own, which are in no catalog, come here as well.
 * @param inputs undefined: a revision in Helm's history is applied, `toRevision` of the step
 */
export async function applyInputs(
  clients: Clients,
  environment: Environment,
  input: ApplyReleaseInput,
  inputs: ReleaseInputs | undefined,
  scope: EffectScope,
): OutputOf<'applyRelease'> {
  const started = performance.now();
  const { run, step } = input;
  const release = { namespace: step.namespace, name: step.name };
  const revisions = await judgedRevisionsOf(clients, release, scope.signal);
  const found = revisions.at(-1);
  await assertOurs(clients, release, revisions, scope.signal);
  const back = inputs === undefined;
  if (back && isRestored(input, found))
    return { changed: true, revision: await claim(clients, input), seconds: seconds(started) };
  if (!back && isDone(input, found)) {
    // An attempt before this one may have been interrupted before it could write the proof.
    if (found?.provenance === 'unproven' && found.labels[RELEASE_LABELS.run] === run.runId)
      await assertRecorded(clients, release, found.revision);
    scope.doing('restarts pods whose Secret has changed');
    const restarted = await restartReaders(clients, step, scope.signal);
    return {
      changed: restarted || found?.labels[RELEASE_LABELS.run] === run.runId,
      revision: found?.revision ?? 0,
      seconds: seconds(started),
    };
  }

  if (inputs?.upstream !== undefined) {
    scope.doing('fetches and verifies its chart');
    await clients.charts.ensure(inputs.upstream, scope.signal);
  }
  scope.doing('makes sure that nobody else is at work on it');
  const settled = await unlockRelease(clients, run, release, step.digest, scope.signal, {
    letFinish: true,
    again: scope.attempt > 1,
  });
  const adopted = settled.finished ? await finishedBefore(clients, input, scope.signal) : undefined;
  const stopped = await settleUninstalling(clients, release, settled.revision, scope.signal);
  const revision =
    stopped === undefined
      ? settled.revision
      : await newestRevision(clients.kubernetes, step.namespace, step.name, scope.signal);
  const recovered = stopped ?? settled.recovered;
  let putBack: string[] = [];
  const applied = async (): Promise<number> => {
    if (back) await assertRestorable(clients, input, scope.signal);
    const before = await assertRevision(clients, release, step.toRevision ?? revision?.revision, scope.signal);
    if (before !== undefined) {
      scope.doing('looks after its definitions');
      await putBackDefinitions(clients.kubernetes, { chart: inputs, applied: before }, scope.signal);
    }
    if (step.job) {
      scope.doing('removes a failed Job');
      await replaceFailedJobs(clients, input, scope.signal);
    }
    const left = await leftIn(clients, environment, run.runId, release, scope.signal);
    for (const object of left) await handOver(clients.kubernetes, object, scope.signal);
    const fields = left.flatMap((object) => object.left);
    scope.doing('waits for its turn with Helm');
    const onTurn = async (): Promise<void> => {
      // It may have waited long, and somebody may have put a release of theirs there meanwhile.
      await assertOurs(clients, release, await judgedRevisionsOf(clients, release, scope.signal), scope.signal);
      scope.assertOurs();
      scope.doing('Helm is at work');
    };
    const apply = async (): Promise<number> =>
      inputs
        ? (
            await clients.helm.upgrade({
              namespace: release.namespace,
              release: release.name,
              chart: inputs.chartPath,
              values: inputs.values,
              labels: {
                ...(await labelsOf(clients, input, inputs, found)),
                [RELEASE_LABELS.left]: leftLabel(fields),
              },
              change: changeOf(inputs, fields, release),
              description: descriptionOf(run.runId, step.digest),
              runId: run.runId,
              clusterUid: run.clusterUid,
              priority: input.priority,
              signal: scope.signal,
              onTurn,
            })
          ).revision
        : restore(clients, input, { signal: scope.signal, onTurn, left: fields });
    const decided = async (): Promise<number> => {
      try {
        return await onceMoreForNewKinds(apply, scope.signal);
      } catch (error) {
        if (!(error instanceof HelmError) || error.type !== FAILURES.fieldConflict) throw error;
        scope.doing('decides whose the fields in conflict are');
        putBack = await takeBack(clients.kubernetes, release, found, scope.signal);
        return apply();
      }
    };
    return decided().catch(async (error: unknown) => {
      const explained = await explainTerminating(clients.kubernetes, release.namespace, error, scope.signal);
      throw await explainTakenPort(clients.kubernetes, release, explained, Date.now() - scope.wantedAt, scope.signal);
    });
  };
  const made = adopted ?? (await applied());
  if (!back) await assertRecorded(clients, release, made);
  const definitions = inputs ? await kindsOf(clients, inputs, release, scope.signal) : [];
  if (definitions.length > 0) {
    scope.doing('waits for its kinds to be known');
    await awaitEstablished(clients.kubernetes, definitions, scope.signal);
  }
  await restartReaders(clients, step, scope.signal);
  return {
    changed: true,
    revision: made,
    seconds: seconds(started),
    ...(recovered === undefined ? {} : { recovered }),
    ...(putBack.length === 0 ? {} : { putBack }),
  };
}

/**
 * What Helm is about to compare with, or to apply again.
 * @returns undefined where there is none
 * @throws DamagedRecordError, DeployError NotOurs
 */
async function assertRevision(
  { kubernetes, environment }: Pick<Clients, 'kubernetes' | 'environment'>,
  { namespace, name }: Release,
  revision: number | undefined,
  signal: AbortSignal,
): Promise<StoredRelease | undefined> {
  const stored =
    revision === undefined ? undefined : await readStoredRelease(kubernetes, namespace, name, revision, signal);
  if (stored !== undefined)
    await assertObjectsOurs(kubernetes, stored, await ownNames(kubernetes, environment.name), signal);
  return stored;
}

/** @throws DeployError PlanOutdated when chart, values or environment were edited since the plan was made */
async function plannedInputs(
  clients: Clients,
  environment: Environment,
  { run, step }: ApplyReleaseInput,
): Promise<ReleaseInputs> {
  const inputs = await releaseInputs(
    clients.catalog,
    environment,
    findRelease(clients.catalog, step.name),
    run.imageTags,
    clients.config,
  );
  if (inputs.digest === step.digest) return inputs;
  throw new DeployError(
    FAILURES.planOutdated,
    `${step.name} was planned as ${step.digest}, but its chart, values or environment now give ${inputs.digest}: they were edited during the deployment. Nothing was changed; deploy again for a new plan.`,
  );
}

/**
 * The cluster holds exactly this already. A `retry` was ordered because what is there does not work, unless this very
 * run made it.
 */
function isDone({ run, step }: ApplyReleaseInput, found: JudgedRevision | undefined): boolean {
  // Somebody's own upgrade bears our labels: Helm hands them on.
  if (found?.provenance === 'foreign') return false;
  if (found?.status !== 'deployed' || found.labels[RELEASE_LABELS.digest] !== step.digest) return false;
  return step.action !== 'retry' || found.labels[RELEASE_LABELS.run] === run.runId;
}

/** What is done to what the chart renders; undefined: it is applied as it is, and Helm needs nobody beside it. */
function changeOf(
  { owner }: Pick<ReleaseInputs, 'owner'>,
  left: readonly LeftField[],
  { namespace }: Release,
): UpgradeRequest['change'] {
  if (owner === undefined && left.length === 0) return undefined;
  return (manifest) => {
    const remaining = left.length === 0 ? manifest : withoutLeftFields(manifest, left, namespace);
    return owner === undefined ? remaining : labelledManifest(remaining, owner);
  };
}

/**
 * What a Helm that had lost its worker has made, where that is all that is wanted here.
 * @returns the revision
 */
async function finishedBefore(
  clients: Clients,
  input: ApplyReleaseInput,
  signal: AbortSignal,
): Promise<number | undefined> {
  const found = (await judgedRevisionsOf(clients, input.step, signal)).at(-1);
  if (input.step.toRevision !== undefined) return isRestored(input, found) ? claim(clients, input) : undefined;
  return isDone(input, found) ? found?.revision : undefined;
}

async function labelsOf(
  clients: Pick<Clients, 'config' | 'catalog' | 'environment'>,
  { run, service, step }: ApplyReleaseInput,
  inputs: ReleaseInputs,
  found: JudgedRevision | undefined,
): Promise<Record<string, string>> {
  return {
    // That of the revision before proves nothing of this one.
    ...(found?.labels[RELEASE_LABELS.proof] === undefined ? {} : { [RELEASE_LABELS.proof]: NO_PROOF }),
    [RELEASE_LABELS.environment]: run.environment,
    [RELEASE_LABELS.service]: service,
    ...(isOfCatalog(clients.catalog, step) ? { [RELEASE_LABELS.platform]: clients.catalog.name } : {}),
    [RELEASE_LABELS.run]: run.runId,
    [RELEASE_LABELS.digest]: step.digest,
    [RELEASE_LABELS.charts]: inputs.upstream === undefined ? 'bundled' : 'upstream',
    ...(await applierLabels(clients)),
  };
}

function isOfCatalog(catalog: Catalog, { namespace, name }: Release): boolean {
  return allReleases(catalog).some((release) => release.namespace === namespace && release.name === name);
}

/** Names of the kinds that the release has just brought along. Publishers make them from templates. */
async function kindsOf(
  { kubernetes }: Clients,
  { upstream, chartPath }: ReleaseInputs,
  release: Release,
  signal: AbortSignal,
): Promise<string[]> {
  if (upstream === undefined) return definitionsOf(chartPath);
  return [...(await archivedDefinitions(chartPath)), ...(await installedDefinitions(kubernetes, release, signal))];
}

/** What failed is written down before it is removed. */
async function replaceFailedJobs(
  clients: Clients,
  { run, service, step }: ApplyReleaseInput,
  signal: AbortSignal,
): Promise<void> {
  const release = { namespace: step.namespace, name: step.name };
  const jobs = await jobsOf(clients.kubernetes, release, signal);
  const failed = jobs.filter((job) => jobHealth(job).status === 'failed');
  if (step.rerun) {
    // What has completed would be left as it is, so that it never runs again.
    const completed = jobs.filter((job) => jobHealth(job).status === 'healthy');
    await removeJobs(clients.kubernetes, release, completed, signal);
  }
  if (failed.length === 0) return;
  await writeEvidence(
    clients,
    {
      runId: run.runId,
      title: `${service}-before-retry`,
      releases: [release],
      reason: `Job ${failed.map(({ metadata }) => metadata.name).join(', ')} had failed and is replaced`,
    },
    signal,
  );
  await removeJobs(clients.kubernetes, release, failed, signal);
}

/**
 * The record is there, and is proved to be ours. Helm ends well even where it could not record that it did, because the
 * API server was away in that moment.
 * @throws DeployError HelmInterrupted: the next attempt removes the unfinished record and adopts what was applied
 */
async function assertRecorded(
  clients: Pick<Clients, 'kubernetes' | 'vault' | 'redactor' | 'environment'>,
  { namespace, name }: Release,
  revision: number,
): Promise<void> {
  // Also when this was cancelled: what Helm has finished counts.
  const secret = await clients.kubernetes.get(paths.secret(namespace, helmSecretName(name, revision)));
  const status = secret?.metadata.labels?.['status'];
  if (secret !== undefined && status === 'deployed') {
    await proveRevision(clients, secret);
    return;
  }
  const record = secret === undefined ? `there is no revision ${revision}` : `revision ${revision} is ${status} in it`;
  throw new DeployError(
    FAILURES.helmInterrupted,
    `Helm has applied ${name} in ${namespace} and could not record it: ${record}. What it applied stays, and is adopted by the next attempt`,
  );
}

async function onceMoreForNewKinds<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof HelmError) || !error.message.includes('no matches for kind')) throw error;
    await sleep(KIND_UNKNOWN_PAUSE_MILLISECONDS, undefined, { signal });
    return attempt();
  }
}

function seconds(since: number): number {
  return Math.round(performance.now() - since) / 1000;
}
