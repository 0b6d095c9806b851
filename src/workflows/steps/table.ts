/**
 * From the kind of a step to the activity, or the child, that carries it out: the only way from a plan to effects.
 * Steps on a release are carried out here, the others by the file of their topic.
 */
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { FAILURES } from '../../contract/failures.ts';
import type { StepKind } from '../../contract/operations/steps.ts';
import { helm, removals, waits } from '../activity-proxies.ts';
import { awaitApproval } from '../admission/gate.ts';
import { awaitFreezeEnd } from '../admission/freeze.ts';
import { keepPolicy } from '../admission/policy.ts';
import { failureOf } from '../failure-of.ts';
import { measuredHealth } from '../metrics.ts';
import { type CarryOut, releaseOf, serviceOf, type StepCall, type StepEnd } from './call.ts';
import { check } from './checks.ts';
import { takeCheckpoint } from './checkpoint.ts';
import { ensureSchedule, recordResult, recordVersion, unlockReleases } from './closing.ts';
import { expandVolumes, replaceSets } from './growing.ts';
import { notify } from './notify.ts';
import { adopt, collectEvidence, ensureNamespaces, prune, removeSchedule, repairFindings } from './platform.ts';
import { restart, rotate } from './rotate.ts';
import { undo } from './undo.ts';
import { configureVault, openVault, removePeers, seedVault, syncSecrets } from './vault.ts';

/** `services` is no step of its own: phases carry out those that it stands for. */
export const STEPS: Record<Exclude<StepKind, 'services'>, CarryOut> = {
  policy: keepPolicy,
  freeze: awaitFreezeEnd,
  gate: awaitApproval,
  evidence: collectEvidence,
  namespace: ensureNamespaces,
  'vault-open': openVault,
  'vault-configure': configureVault,
  'vault-seed': seedVault,
  'secret-sync': syncSecrets,
  'field-patch': repairFindings,
  adopt,
  'rotate-add': rotate('add'),
  'rotate-write': rotate('write'),
  'rotate-restart': restart,
  'rotate-verify': rotate('verify'),
  'rotate-revoke': rotate('revoke'),
  checkpoint: takeCheckpoint,
  'volume-expand': expandVolumes,
  'statefulset-replace': replaceSets,
  'raft-remove-peer': removePeers,
  apply: withHelm('applyRelease'),
  job: withHelm('applyRelease'),
  rollback: withHelm('rollbackRelease'),
  uninstall,
  verify,
  check,
  prune,
  undo,
  unlock: unlockReleases,
  notify,
  schedule: ensureSchedule,
  unschedule: removeSchedule,
  version: recordVersion,
  audit: recordResult,
};

/** @throws what the step has failed with, unless the plan says that this keeps nothing else from being done */
export async function carryOut(call: StepCall): Promise<StepEnd> {
  const { kind, optional, tolerates = [] } = call.step;
  if (kind === 'services') return {};
  try {
    return await STEPS[kind](call);
  } catch (error) {
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    if (optional || tolerates.some((type) => type === failureOf(error).type)) return {};
    throw error;
  }
}

function withHelm(activity: 'applyRelease' | 'rollbackRelease'): CarryOut {
  return async (call) => {
    const { service, helmTimeoutSeconds, note, steering } = serviceOf(call);
    const release = releaseOf(call);
    const again = steering !== undefined && steering.attempt > 0 ? { again: true as const } : {};
    note('applying', `${release.name}: ${release.reason}`);
    const {
      changed,
      putBack = [],
      kept = [],
    } = await helm(helmTimeoutSeconds)[activity].executeWithOptions(
      { summary: `Helm ${release.action} ${release.name}: ${release.reason}` },
      [{ run: call.run, service: service.name, step: release, priority: service.remainingSeconds, ...again }],
    );
    return { changed, notes: [...putBack.map((field) => `put back: ${field}`), ...kept] };
  };
}

async function uninstall(call: StepCall): Promise<StepEnd> {
  const { service, helmTimeoutSeconds, note } = serviceOf(call);
  const release = releaseOf(call);
  note('removing', `${release.name}: ${release.reason}`);
  const { removed } = await removals(helmTimeoutSeconds).removeRelease.executeWithOptions(
    { summary: `Uninstall ${release.name}` },
    [{ run: call.run, service: service.name, step: release, priority: service.remainingSeconds }],
  );
  return { changed: removed };
}

/**
 * Given up when the phase has to yield, or the service is skipped. A deadline that was extended meanwhile is followed
 * by a wait for the rest of it.
 */
async function verify(call: StepCall): Promise<StepEnd> {
  const { service, drain, note, steering } = serviceOf(call);
  const release = releaseOf(call);
  const what = release.job ? `waits for Job ${release.name}` : `waits for ${release.name} to be healthy`;
  note('starting', what);
  const wait = (timeoutSeconds: number): Promise<unknown> =>
    measuredHealth(call.run, service.name, () =>
      drain.waiting(() =>
        waits(timeoutSeconds).awaitHealthy.executeWithOptions({ summary: `Health of ${release.name}` }, [
          { run: call.run, service: service.name, step: release, timeoutSeconds },
        ]),
      ),
    );
  let granted = steering?.extension() ?? 0;
  for (let seconds = service.healthTimeoutSeconds + granted; ; ) {
    try {
      await wait(seconds);
      return {};
    } catch (error) {
      const more = (steering?.extension() ?? 0) - granted;
      if (more <= 0 || failureOf(error).type !== FAILURES.notHealthyInTime) throw error;
      granted += more;
      seconds = more;
      note('starting', `${what}, ${more} s longer on request`);
    }
  }
}
