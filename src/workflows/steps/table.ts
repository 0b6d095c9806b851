/** From the kind of a step to the activity, or the child, that carries it out: the only way from a plan to effects. */
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { StepKind } from '../../contract/steps.ts';
import { failureOf } from '../failure-of.ts';
import type { CarryOut, StepCall, StepEnd } from './call.ts';
import { ensureSchedule, notify, recordResult, recordVersion, unlockReleases } from './closing.ts';
import { adopt, collectEvidence, ensureNamespaces, prune, removeSchedule, repairFindings } from './platform.ts';
import { apply, rollback, uninstall, verify } from './releases.ts';
import { undo } from './undo.ts';
import { configureVault, openVault, seedVault, syncSecrets } from './vault.ts';

/** `services` is no step of its own: phases carry out those that it stands for. */
export const STEPS: Record<Exclude<StepKind, 'services'>, CarryOut> = {
  evidence: collectEvidence,
  namespace: ensureNamespaces,
  'vault-open': openVault,
  'vault-configure': configureVault,
  'vault-seed': seedVault,
  'secret-sync': syncSecrets,
  'field-patch': repairFindings,
  adopt,
  apply,
  job: apply,
  rollback,
  uninstall,
  verify,
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
