/**
 * All activities. Each sends heartbeats, checks that this is the cluster it was planned for, calls one effect
 * (src/effects), and classes its errors in one place.
 */
import type { Clients } from '../clients/index.ts';
import type { Activities } from '../contract/activities.ts';
import type { RunRef } from '../contract/operations/deploy.ts';
import type { Metrics } from '../contract/metrics.ts';
import type { Operation } from '../contract/operations/plan.ts';
import type { EffectScope } from '../effects/effect.ts';
import { readAttestation } from '../effects/admission/attestation.ts';
import { checkFreeze } from '../effects/admission/freeze.ts';
import { adoptReleases } from '../effects/adopt/adopt-releases.ts';
import { makeBackup } from '../effects/backup/scheduled.ts';
import { takeCheckpoint } from '../effects/checkpoint/take.ts';
import { prune } from '../effects/destroy/prune.ts';
import { findDrift } from '../effects/drift/find-drift.ts';
import { recordDrift } from '../effects/drift/record.ts';
import { repairFindings } from '../effects/drift/repair-findings.ts';
import { lookAtPlatform } from '../effects/checks/look.ts';
import { runCheck } from '../effects/checks/run.ts';
import { collectEvidence } from '../effects/evidence/collect.ts';
import { expandClaims } from '../effects/growing/expand.ts';
import { replaceStatefulSets } from '../effects/growing/replace.ts';
import { ensureNamespaces } from '../effects/namespaces.ts';
import { addressNotification } from '../effects/notify/address.ts';
import { deliverNotification } from '../effects/notify/deliver.ts';
import { prepareDeployment } from '../effects/nexus/prepare.ts';
import { readVersion } from '../effects/nexus/version.ts';
import { notify } from '../effects/notify/notify.ts';
import { settleNotification } from '../effects/notify/settle.ts';
import { planAdopt } from '../effects/plan/adopt.ts';
import { makePlan } from '../effects/plan/deploy.ts';
import { planDestroy } from '../effects/plan/destroy.ts';
import { planRepair } from '../effects/plan/repair.ts';
import { planRollback } from '../effects/plan/rollback.ts';
import { planRotate } from '../effects/plan/rotate.ts';
import { planUndo } from '../effects/plan/undo.ts';
import { recordResult } from '../effects/records/result.ts';
import { applyRelease, rollbackRelease } from '../effects/release/apply.ts';
import { removeRelease } from '../effects/release/removal/uninstall.ts';
import { unlockReleases } from '../effects/release/unlock.ts';
import { restartRelease } from '../effects/rotation/restart-release.ts';
import { rotateSecret } from '../effects/rotation/rotate-secret.ts';
import { configureVault } from '../effects/vault/configure.ts';
import { openVault } from '../effects/vault/open.ts';
import { removeRaftPeers } from '../effects/vault/remove-peers.ts';
import { seedVault } from '../effects/vault/secrets/seed.ts';
import { syncSecrets } from '../effects/vault/secrets/sync-secrets.ts';
import { recordVersion } from '../effects/versions/record.ts';
import { awaitHealthy } from '../effects/wait/healthy.ts';
import { ensureDriftSchedule, removeDriftSchedule } from './drift-schedule.ts';
import { annotateSpan, type SpanAttributes } from '../process/spans.ts';
import { assertEnvironment, assertTarget } from './context.ts';
import { awaitLockFree } from './lock/await-free.ts';
import { awaitOperation } from './lock/await-operation.ts';
import { lockHolder } from './lock/holder.ts';
import { countFailures } from './retry/count.ts';
import { createGuard, type Guard } from './retry/guard.ts';
import { type ScopeOf, temporalScope, withEffectScope } from './scope.ts';

/**
 * @param scopeOf where heartbeats go and cancellation comes from; Temporal's own by default
 * @param metrics where failed attempts are counted
 */
export function createActivities(clients: Clients, scopeOf: ScopeOf = temporalScope, metrics?: Metrics): Activities {
  const onFailure = metrics && countFailures(metrics);
  return assemble(
    clients,
    createGuard(clients, scopeOf, { onFailure }),
    createGuard(clients, scopeOf, { bounded: false, onFailure }),
  );
}

/** Their errors come as they are, neither classed nor counted. */
export function unguardedActivities(clients: Clients, scopeOf: ScopeOf): Activities {
  const bare: Guard = (make) => make(scopeOf);
  return assemble(clients, bare, bare);
}

function assemble(clients: Clients, guarded: Guard, patient: Guard): Activities {
  const begin = beginning(clients);
  return {
    makePlan: guarded(begin('deploy', makePlan)),
    planRollback: guarded(begin('rollback', planRollback)),
    planUndo: guarded(begin('changes', planUndo)),
    planRepair: guarded(begin('repair', planRepair)),
    planDestroy: guarded(begin('destroy', planDestroy)),
    planAdopt: guarded(begin('adopt', planAdopt)),
    findDrift: guarded(begin('reads', findDrift)),
    checkFreeze: guarded(begin('here', checkFreeze)),
    readAttestation: guarded(begin('reads', readAttestation)),
    ensureNamespaces: guarded(begin('changes', ensureNamespaces)),
    applyRelease: guarded(begin('changes', applyRelease)),
    rollbackRelease: guarded(begin('changes', rollbackRelease)),
    removeRelease: guarded(begin('changes', removeRelease)),
    awaitHealthy: guarded(begin('here', awaitHealthy)),
    openVault: guarded(begin('changes', openVault)),
    configureVault: guarded(begin('changes', configureVault)),
    seedVault: guarded(begin('changes', seedVault)),
    syncSecrets: guarded(begin('changes', syncSecrets)),
    repairFindings: guarded(begin('repair', repairFindings)),
    removeRemains: guarded(begin('destroy', prune)),
    planRotate: guarded(begin('rotate', planRotate)),
    rotateSecret: guarded(begin('changes', rotateSecret)),
    restartRelease: guarded(begin('changes', restartRelease)),
    adoptReleases: guarded(begin('changes', adoptReleases)),
    settleReleases: guarded(begin('changes', unlockReleases)),
    ensureDriftSchedule: guarded(begin('changes', ensureDriftSchedule)),
    removeDriftSchedule: guarded(begin('destroy', removeDriftSchedule)),
    makeBackup: guarded(begin('reads', makeBackup)),
    removeRaftPeers: guarded(begin('changes', removeRaftPeers)),
    expandClaims: guarded(begin('changes', expandClaims)),
    replaceStatefulSets: guarded(begin('changes', replaceStatefulSets)),
    takeCheckpoint: guarded(begin('changes', takeCheckpoint)),
    recordVersion: guarded(begin('changes', recordVersion)),
    recordResult: guarded(begin('here', recordResult)),
    recordDrift: guarded(begin('reads', recordDrift)),
    // Whoever only looks needs no confirmation, as with `verify --deep`.
    lookAtPlatform: guarded(begin('reads', lookAtPlatform)),
    runCheck: guarded(begin('changes', runCheck)),
    collectEvidence: guarded(begin('here', collectEvidence)),
    notify: guarded(begin('here', notify)),
    addressNotification: guarded(begin('here', addressNotification)),
    deliverNotification: guarded(begin('here', deliverNotification)),
    settleNotification: guarded(begin('reads', settleNotification)),
    prepareDeployment: guarded(begin('reads', prepareDeployment)),
    readVersion: guarded(begin('here', readVersion)),
    lockHolder: guarded(() => lockHolder(clients)),
    awaitOperation: patient((of) => awaitOperation(clients, of)),
    awaitLockFree: patient((of) => awaitLockFree(clients, of)),
  };
}

/** Names alone: whose step it is, and on which release. */
function aboutOf(input: object): SpanAttributes {
  const { service, step } = input as { service?: string | { name: string }; step?: { name?: string } };
  const name = typeof service === 'object' ? service.name : service;
  return {
    ...(name === undefined ? {} : { 'ananta.service': name }),
    ...(step?.name === undefined ? {} : { 'ananta.release': step.name }),
  };
}

/** `here`: nothing in the cluster is changed or relied on, so only the environment has to be this worker's. */
type Does = 'here' | 'reads' | 'changes' | Operation;
type Effect<Input, Output> = (clients: Clients, input: Input, scope: EffectScope) => Promise<Output>;

function beginning(clients: Clients) {
  return <Input extends RunRef | { run: RunRef }, Output>(does: Does, effect: Effect<Input, Output>) =>
    (scopeOf: ScopeOf) =>
    (input: Input): Promise<Output> =>
      withEffectScope(scopeOf(), async (scope) => {
        const run: RunRef = 'run' in input ? input.run : input;
        annotateSpan(aboutOf(input));
        if (does === 'here') assertEnvironment(clients, run);
        else await assertTarget(clients, run, scope.signal, does);
        return effect(clients, input, scope);
      });
}
