/** All activities, each in its own file, with one way out for errors. */
import type { Clients } from '../clients/index.ts';
import type { Activities } from '../contract/activities.ts';
import { adoptReleases } from './adopt/adopt-releases.ts';
import { planAdopt } from './adopt/plan-adopt.ts';
import { applyRelease } from './apply-release.ts';
import { awaitHealthy } from './await-healthy.ts';
import { collectEvidence } from './collect-evidence.ts';
import { findDrift } from './drift/find-drift.ts';
import { planRepair } from './drift/plan-repair.ts';
import { recordDrift } from './drift/record.ts';
import { repairFindings } from './drift/repair-findings.ts';
import { ensureDriftSchedule, removeDriftSchedule } from './drift/schedule.ts';
import { ensureNamespaces } from './ensure-namespaces.ts';
import { awaitLockFree } from './lock/await-free.ts';
import { lockHolder } from './lock/holder.ts';
import { makePlan } from './make-plan.ts';
import { notify } from './notify.ts';
import { planDestroy } from './plan-destroy.ts';
import { recordResult } from './record-result.ts';
import { removeRemains } from './remove-remains.ts';
import { removeRelease } from './remove-release.ts';
import { createGuard } from './retry/guard.ts';
import { settleReleases } from './unlock-releases.ts';
import { type ScopeOf, temporalScope } from './scope.ts';
import { configureVault } from './vault/configure.ts';
import { openVault } from './vault/open.ts';
import { seedVault } from './vault/seed.ts';
import { syncSecrets } from './vault/sync-secrets.ts';
import { planRollback } from './versions/plan-rollback.ts';
import { planUndo } from './versions/plan-undo.ts';
import { recordVersion } from './versions/record.ts';

/**
 * @param scopeOf where heartbeats go and cancellation comes from; Temporal's own by default
 */
export function createActivities(clients: Clients, scopeOf: ScopeOf = temporalScope): Activities {
  const guarded = createGuard(clients, scopeOf);
  const patient = createGuard(clients, scopeOf, { bounded: false });
  return {
    makePlan: guarded((of) => makePlan(clients, of)),
    ensureNamespaces: guarded((of) => ensureNamespaces(clients, of)),
    applyRelease: guarded((of) => applyRelease(clients, of)),
    rollbackRelease: guarded((of) => applyRelease(clients, of)),
    awaitHealthy: guarded((of) => awaitHealthy(clients, of)),
    openVault: guarded((of) => openVault(clients, of)),
    configureVault: guarded((of) => configureVault(clients, of)),
    seedVault: guarded((of) => seedVault(clients, of)),
    syncSecrets: guarded((of) => syncSecrets(clients, of)),
    collectEvidence: guarded((of) => collectEvidence(clients, of)),
    recordResult: guarded(() => recordResult(clients)),
    planRollback: guarded((of) => planRollback(clients, of)),
    planUndo: guarded((of) => planUndo(clients, of)),
    recordVersion: guarded((of) => recordVersion(clients, of)),
    planDestroy: guarded((of) => planDestroy(clients, of)),
    removeRelease: guarded((of) => removeRelease(clients, of)),
    removeRemains: guarded((of) => removeRemains(clients, of)),
    ensureDriftSchedule: guarded((of) => ensureDriftSchedule(clients, of)),
    removeDriftSchedule: guarded((of) => removeDriftSchedule(clients, of)),
    settleReleases: guarded((of) => settleReleases(clients, of)),
    lockHolder: guarded(() => lockHolder(clients)),
    awaitLockFree: patient((of) => awaitLockFree(clients, of)),
    findDrift: guarded((of) => findDrift(clients, of)),
    planAdopt: guarded((of) => planAdopt(clients, of)),
    adoptReleases: guarded((of) => adoptReleases(clients, of)),
    planRepair: guarded((of) => planRepair(clients, of)),
    repairFindings: guarded((of) => repairFindings(clients, of)),
    recordDrift: guarded((of) => recordDrift(clients, of)),
    notify: guarded((of) => notify(clients, of)),
  };
}
