/**
 * One release of the deployer: left alone when it is as wanted, installed or upgraded otherwise, and healthy in the
 * end.
 */
import { commandScope } from '../../effects/effect.ts';
import { applyInputs } from '../../effects/release/apply.ts';
import { jobsOf } from '../../effects/release/jobs.ts';
import { newestRevision, type Revision } from '../../effects/release/revisions.ts';
import { createDeadline } from '../../effects/wait/deadline.ts';
import { waitForRelease } from '../../effects/wait/release.ts';
import type { Clients } from '../../clients/index.ts';
import type { RunRef } from '../../contract/operations/deploy.ts';
import type { PlannedStep } from '../../contract/operations/plan.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { type DeployerRelease, writtenValues } from '../../plan/deployer/releases.ts';
import { failed } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import type { InstallReport } from './report.ts';

export type ReleaseAction = 'unchanged' | 'install' | 'upgrade';

/** What there is to do, from what Helm has on record. @param found newest revision */
export function actionFor(
  { digest }: Pick<DeployerRelease, 'digest'>,
  found: Pick<Revision, 'status' | 'labels'> | undefined,
): ReleaseAction {
  if (found === undefined || found.status === 'uninstalled') return 'install';
  return found.status === 'deployed' && found.labels[RELEASE_LABELS.digest] === digest ? 'unchanged' : 'upgrade';
}

/** @throws CliError (failed): what was installed stays, and the next `install` goes on from there */
export async function installRelease(
  clients: Clients,
  run: RunRef,
  release: DeployerRelease,
  report: InstallReport,
  signal: AbortSignal,
): Promise<ReleaseAction> {
  const { name, namespace } = release;
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  try {
    const action = await wantedAction(clients, release, signal);
    if (action !== 'unchanged') {
      report({ step: name, state: 'begun', text: action === 'install' ? 'is installed' : 'is upgraded' });
      await apply(clients, run, release, action, signal);
    }
    const proof = await healthy(clients, release, report, signal);
    report({
      step: name,
      state: action === 'unchanged' ? 'unchanged' : action === 'install' ? 'made' : 'upgraded',
      text: `${action === 'unchanged' ? 'as wanted' : action === 'install' ? 'installed' : 'upgraded'}: ${proof}`,
      seconds: seconds(),
    });
    return action;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Error)) throw error;
    throw failed(
      `${namespace}/${name}: ${clients.redactor.redact(error.message)}`,
      `Log of Helm: ${clients.helm.logFile(name)}`,
      `${commandLine('install', '--env', clients.environment.name)}   (after the cause is gone; it goes on from here)`,
    );
  }
}

/** A completed Job that somebody has deleted leaves no trace of its work: it runs once more. */
export async function wantedAction(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  release: DeployerRelease,
  signal?: AbortSignal,
): Promise<ReleaseAction> {
  const action = actionFor(release, await newestRevision(kubernetes, release.namespace, release.name, signal));
  return action === 'unchanged' && release.job && (await jobsOf(kubernetes, release, signal)).length === 0
    ? 'upgrade'
    : action;
}

/** By the same way as the platform's releases. One whose completed Job is gone is applied although nothing differs. */
async function apply(
  clients: Clients,
  run: RunRef,
  release: DeployerRelease,
  action: Exclude<ReleaseAction, 'unchanged'>,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, job, chartPath, digest } = release;
  const step: PlannedStep = {
    kind: 'release',
    name,
    namespace,
    job,
    digest,
    reason: 'part of the deployer',
    action: action === 'install' ? action : 'retry',
  };
  await applyInputs(
    clients,
    clients.environment,
    { run, service: name, step, priority: 0 },
    { chartPath, digest, values: writtenValues(release) },
    commandScope(signal),
  );
}

async function healthy(
  clients: Clients,
  release: DeployerRelease,
  report: InstallReport,
  signal: AbortSignal,
): Promise<string> {
  const deadline = createDeadline({
    limitSeconds: release.timeoutSeconds,
    spentSeconds: 0,
    signal,
  });
  const began = performance.now();
  return waitForRelease(clients, {
    release,
    job: release.job,
    probe: undefined,
    answersOnly: false,
    awaySeconds: clients.environment.retries.unreachableSeconds,
    deadline,
    signal,
    // At once it is the usual state of something that is just starting.
    onStatus: (text) => {
      if (performance.now() - began > QUIET_MILLISECONDS) report({ step: release.name, state: 'begun', text });
    },
  });
}

const QUIET_MILLISECONDS = 3000;
