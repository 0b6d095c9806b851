/** Small plans and fake activities for tests of workflows. */
import type { Activities } from '../../src/contract/activities.ts';
import type { DriftFinding, DriftReport } from '../../src/contract/drift.ts';
import type { OperationPlan, PlannedAction, PlannedService } from '../../src/contract/operations/plan.ts';
import { completedAs } from '../../src/plan/steps/complete.ts';
import type { Intent } from '../../src/plan/steps/intent.ts';

export const ALL_PHASES: readonly number[] = Array.from({ length: 14 }, (_, index) => index + 1);

/**
 * @param graph service to its phase and dependencies
 * @param phases a workflow each: those that have services, unless a test is about the others, too
 */
export function planOf(
  graph: Record<string, { phase: number; dependsOn?: string[]; action?: PlannedAction; job?: boolean }>,
  phases: readonly number[] = ALL_PHASES.filter((number) => Object.values(graph).some(({ phase }) => phase === number)),
): OperationPlan {
  const services = Object.entries(graph).map(
    ([name, { phase, dependsOn = [], action = 'install', job = false }], index): PlannedService => ({
      number: index + 1,
      phase,
      name,
      namespace: 'test',
      dependsOn,
      action,
      reason: 'not there yet',
      remainingSeconds: 1,
      healthTimeoutSeconds: 30,
      steps: [
        { kind: 'release', name, namespace: 'test', job, action, reason: 'not there yet', digest: '0123456789abcdef' },
      ],
    }),
  );
  return {
    operation: 'deploy',
    onFailure: 'continue',
    environment: 'test',
    digest: 'abcdefabcdefabcd',
    criticalPathSeconds: 1,
    criticalPath: [],
    services,
    prerequisites: true,
    simulated: true,
    helmTimeoutSeconds: 30,
    phases: phases.map((number) => ({ number, title: `Title ${number}` })),
  };
}

/** A drift report that consists of these findings. */
export function driftReport(findings: DriftFinding[]): DriftReport {
  return {
    environment: 'test',
    at: '2026-01-01T00:00:00Z',
    seconds: 0,
    findings,
    accepted: 0,
    ignored: 0,
    checked: { objects: findings.length, releases: findings.length, vault: 0, secrets: 0 },
    simulated: '',
  };
}

export interface Recorder {
  activities: Activities;
  /** `apply NAME`, `healthy NAME` … in the order of their ends. */
  log: string[];
  /** Notifications, which an operation does not wait for. */
  told: string[];
}

/** Activities that succeed at once and write down what they were asked; single ones can be replaced. */
export function recordingActivities(plan: OperationPlan, overrides: Partial<Activities> = {}): Recorder {
  const log: string[] = [];
  const told: string[] = [];
  const activities: Activities = {
    makePlan: () => Promise.resolve(plan),
    checkFreeze: () => Promise.resolve({ frozen: false, windows: [], onFrozen: 'refuse', waitSeconds: 0 }),
    readAttestation: () => Promise.resolve({}),
    ensureNamespaces: () => {
      log.push('namespaces');
      return Promise.resolve({ created: [] });
    },
    applyRelease: ({ step }) => {
      log.push(`apply ${step.name}`);
      return Promise.resolve({ changed: true, revision: 1, seconds: 0 });
    },
    rollbackRelease: (input) => activities.applyRelease(input),
    awaitHealthy: ({ step }) => {
      log.push(`healthy ${step.name}`);
      return Promise.resolve({ seconds: 0, proof: 'told so' });
    },
    openVault: () => {
      log.push('openVault');
      return Promise.resolve({ initialized: true, unsealed: true });
    },
    configureVault: () => {
      log.push('configureVault');
      return Promise.resolve({ changed: ['mount'] });
    },
    seedVault: () => {
      log.push('seedVault');
      return Promise.resolve({ written: ['a/b'], restored: [] });
    },
    syncSecrets: () => {
      log.push('syncSecrets');
      return Promise.resolve({ written: ['a-b'] });
    },
    collectEvidence: ({ service }) => {
      log.push(`evidence ${service.name}`);
      return Promise.resolve({ evidence: `/evidence/${service.name}.txt`, summary: ['line'] });
    },
    lookAtPlatform: () => Promise.resolve({ unwell: [] }),
    runCheck: ({ check }) => {
      log.push(`check ${check.service}/${check.name}`);
      return Promise.resolve({ text: 'as expected', seconds: 0 });
    },
    recordResult: ({ outcome }) => {
      log.push(`result ${outcome}`);
      return Promise.resolve();
    },
    planRollback: () => Promise.resolve(plan),
    planUndo: () => Promise.resolve(plan),
    recordVersion: ({ operation }) => {
      log.push(`version of ${operation}`);
      return Promise.resolve({ version: 1 });
    },
    planDestroy: () => Promise.resolve(plan),
    removeRelease: ({ step }) => {
      log.push(`remove ${step.name}`);
      return Promise.resolve({ removed: true, seconds: 0 });
    },
    removeRemains: () => {
      log.push('remains');
      return Promise.resolve({ removed: [], remains: [] });
    },
    ensureDriftSchedule: () => {
      log.push('schedule');
      return Promise.resolve({ changed: false });
    },
    removeDriftSchedule: () => {
      log.push('no schedule');
      return Promise.resolve({ removed: true });
    },
    expandClaims: ({ step, claims }) => {
      log.push(`expand ${step.name} ${claims.map(({ to }) => to).join(' ')}`);
      return Promise.resolve({ changed: true, seconds: 0, notes: [] });
    },
    replaceStatefulSets: ({ sets }) => {
      log.push(`orphan ${sets.map(({ name }) => name).join(' ')}`);
      return Promise.resolve({ replaced: sets.map(({ name }) => name) });
    },
    removeRaftPeers: ({ servers }) => {
      log.push(`leave ${servers.join(' ')}`);
      return Promise.resolve({ removed: servers });
    },
    takeCheckpoint: ({ database }) => {
      log.push(`checkpoint ${database}`);
      return Promise.resolve({ file: '/backups/one', bytes: 1, seconds: 1 });
    },
    makeBackup: ({ at }) => {
      log.push(`backup ${at}`);
      return Promise.resolve({ file: '/backups/one', bytes: 1, sha256: 's', pruned: [] });
    },
    settleReleases: ({ releases }) => {
      log.push(`settle ${releases.map(({ name }) => name).join(' ')}`);
      return Promise.resolve({ settled: [] });
    },
    lockHolder: () => Promise.resolve({}),
    awaitLockFree: () => Promise.resolve(),
    prepareDeployment: ({ run }) => Promise.resolve({ imageTags: run.imageTags, notes: [] }),
    readVersion: () => Promise.reject(new Error('there is no version')),
    awaitOperation: () => Promise.resolve({ problem: 'nobody waits here' }),
    findDrift: () =>
      Promise.resolve({
        report: driftReport([]),
        flapping: [],
      }),
    planRepair: () => Promise.resolve(plan),
    planAdopt: () => Promise.resolve({ ...plan, operation: 'adopt' }),
    adoptReleases: ({ service }) => {
      log.push(`adopt ${service}`);
      return Promise.resolve({ adopted: [`test/${service}`] });
    },
    planRotate: () => Promise.resolve({ ...plan, operation: 'rotate' }),
    rotateSecret: ({ act, secret: { path, key } }) => {
      log.push(`${act} ${path} ${key}`);
      return Promise.resolve({ changed: act !== 'verify', notes: [] });
    },
    restartRelease: ({ step }) => {
      log.push(`restart ${step.name}`);
      return Promise.resolve({ changed: true });
    },
    repairFindings: ({ findings }) => {
      log.push('repair findings');
      return Promise.resolve({ repaired: findings.map(({ key }) => key) });
    },
    recordDrift: ({ outcome }) => {
      log.push(`drift ${outcome}`);
      return Promise.resolve();
    },
    notify: ({ event }) => {
      log.push(`notify ${event}`);
      return Promise.resolve({ sent: true });
    },
    addressNotification: ({ run: { environment, workflowId, runId }, event, title, lines }) =>
      Promise.resolve({
        targets: ['chat'],
        notification: { id: `msg_${event}`, event, environment, title, lines, workflowId, runId, at: '2026-01-01' },
      }),
    deliverNotification: ({ target, notification }) => {
      told.push(`tell ${target} ${notification.event}`);
      return Promise.resolve({ delivered: true, text: 'answered 200' });
    },
    settleNotification: ({ delivery: { target, delivered } }) => {
      told.push(`${delivered ? 'forget' : 'keep'} ${target}`);
      return Promise.resolve(delivered ? {} : { letter: 'letter-1' });
    },
    ...overrides,
  };
  return { activities, log, told };
}

/** Plans of tests are decisions on services: completed as the real activities complete theirs. */
export function withCompletePlans(activities: Activities): Activities {
  const complete = (plan: OperationPlan, intent: Intent): OperationPlan =>
    plan.steps === undefined ? completedAs(plan, intent) : plan;
  return {
    ...activities,
    makePlan: async (input) => complete(await activities.makePlan(input), { verb: 'deploy' }),
    planRollback: async (input) => complete(await activities.planRollback(input), { verb: 'rollback' }),
    planUndo: async (input) => complete(await activities.planUndo(input), { verb: 'undo' }),
    planRepair: async (input) =>
      complete(await activities.planRepair(input), { verb: 'repair', findings: input.findings }),
    planDestroy: async (input) =>
      complete(await activities.planDestroy(input), { verb: 'destroy', deleteData: input.deleteData }),
    planRotate: async (input) =>
      complete(await activities.planRotate(input), {
        verb: 'rotate',
        secrets: (input.secrets ?? []).map(({ path, key = '' }) => ({ path, key, server: 'postgres' })),
      }),
    planAdopt: async (input) =>
      complete(await activities.planAdopt(input), {
        verb: 'adopt',
        services: (input.services ?? [input.service ?? '']).map((service) => ({ service })),
      }),
  };
}
