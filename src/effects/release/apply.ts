/**
 * One Helm release, brought to exactly what was planned: from the checkout, or from a revision in Helm's history.
 * Running it again after a lost acknowledgement, a killed worker or a killed Helm leads to the same end.
 */
import { currentEnvironment } from '../environment.ts';
import { DeployError } from '../../contract/errors.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { HelmError, readStoredRelease, type StoredRelease } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import type { ApplyReleaseInput, InputOf, OutputOf } from '../../contract/activities.ts';
import { FAILURES } from '../../contract/failures.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import type { Environment } from '../../environment/schema.ts';
import { leftLabel } from '../../plan/fields/left.ts';
import { releaseInputs, type ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { renderedChange } from '../../plan/inputs/rendered-change.ts';
import { descriptionOf } from '../../plan/ownership/provenance.ts';
import { steadyNow } from '../../process/clock.ts';
import { findRelease } from '../../plan/releases.ts';
import { handOver, leftIn } from '../fields/left.ts';
import { ownNames } from '../owner/claim.ts';
import { takeBack } from '../fields/take-back.ts';
import { awaitEstablished, kindsOf } from './definitions/crds.ts';
import { putBackDefinitions } from './definitions/lost.ts';
import { finishedBefore, hasToRunAgain, isDone } from './done.ts';
import { replaceFailedJobs } from './jobs.ts';
import { labelsOf } from './labels.ts';
import { explainTakenPort } from './leaked-port.ts';
import { restartReaders } from './restart.ts';
import { assertRestorable, claim, isRestored, restore } from './restore.ts';
import { judgedRevisionsOf } from './provenance.ts';
import { assertRecorded } from './prove.ts';
import { assertObjectsOurs } from './objects.ts';
import { assertOurs } from './ours.ts';
import { newestRevision } from './revisions.ts';
import { explainTerminating } from './removal/terminating.ts';
import { type Release, unlockRelease } from './recover.ts';
import { recoverUninstalling } from './removal/uninstalling.ts';
import type { EffectScope } from '../effect.ts';

/** Helm's API discovery may lag a moment behind a CRD that was just established. */
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
  if (!back && isDone(input, found) && !(await hasToRunAgain(clients, input, scope.signal))) {
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
  const stopped = await recoverUninstalling(clients, release, settled.revision, scope.signal);
  const revision =
    stopped === undefined
      ? settled.revision
      : await newestRevision(clients.kubernetes, step.namespace, step.name, scope.signal);
  const recovered = stopped ?? settled.recovered;
  let putBack: string[] = [];
  let kept: string[] = [];
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
      await scope.assertOurs();
      scope.doing('Helm is at work');
    };
    const backTo = async (stored: StoredRelease | undefined): Promise<number> => {
      const restored = await restore(clients, input, { signal: scope.signal, onTurn, left: fields, stored });
      kept = restored.kept;
      return restored.revision;
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
              change: renderedChange(inputs, fields, release),
              description: descriptionOf(run.runId, step.digest),
              runId: run.runId,
              clusterUid: run.clusterUid,
              priority: input.priority,
              signal: scope.signal,
              onTurn,
            })
          ).revision
        : backTo(before);
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
      throw await explainTakenPort(clients.kubernetes, release, explained, steadyNow() - scope.wantedAt, scope.signal);
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
    ...(kept.length === 0 ? {} : { kept }),
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
