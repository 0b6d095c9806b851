/** A small deployment for the renderers: five services in three phases. */
import type { OperationResult, ServiceOutcome, ServiceState } from '../../src/contract/operations/deploy.ts';
import type { OperationPlan, PlannedService } from '../../src/contract/operations/plan.ts';
import type { PastRun } from '../../src/plan/remaining/past.ts';
import { applyLive, emptyLive, type LiveEvent, type LiveView } from '../../src/cli/render/live.ts';

export const START = Date.UTC(2026, 0, 5, 12, 0, 0);

function planned(
  number: number,
  phase: number,
  name: string,
  dependsOn: string[],
  remainingSeconds: number,
): PlannedService {
  return {
    number,
    phase,
    name,
    namespace: 'apps',
    dependsOn,
    action: 'install',
    reason: 'nothing there yet',
    remainingSeconds,
    healthTimeoutSeconds: 300,
    steps: [
      {
        kind: 'release',
        name,
        namespace: 'apps',
        job: name.endsWith('-init'),
        action: 'install',
        reason: 'nothing there yet',
        digest: '0123456789abcdef',
      },
    ],
  };
}

export const PLAN: OperationPlan = {
  operation: 'deploy',
  onFailure: 'continue',
  environment: 'sandbox',
  digest: 'a1b2c3d4e5f60718',
  criticalPathSeconds: 30,
  criticalPath: ['vault', 'identity', 'identity-init', 'dashboard'],
  prerequisites: true,
  simulated: true,
  helmTimeoutSeconds: 300,
  phases: [
    { number: 1, title: 'Core Infrastructure' },
    { number: 4, title: 'Authentication' },
    { number: 14, title: 'Frontend Applications' },
  ],
  services: [
    planned(1, 1, 'gitops', [], 10),
    planned(2, 1, 'vault', [], 30),
    planned(10, 4, 'identity', ['vault'], 22),
    planned(11, 4, 'identity-init', ['identity'], 8),
    planned(12, 14, 'dashboard', ['identity-init', 'gitops'], 4),
  ],
};

export function outcome(
  name: string,
  state: ServiceOutcome['state'],
  seconds: number,
  failure?: ServiceOutcome['failure'],
): ServiceOutcome {
  const phase = PLAN.services.find((service) => service.name === name)?.phase ?? 0;
  return {
    name,
    phase,
    state,
    seconds,
    changed: state !== 'unchanged' && state !== 'skipped',
    ...(failure ? { failure } : {}),
  };
}

/** @param after seconds since the start */
export function progress(
  after: number,
  service: string,
  state: ServiceState,
  more: { detail?: string; outcome?: ServiceOutcome } = {},
): LiveEvent {
  return { kind: 'progress', event: { service, state, at: START + after * 1000, ...more } };
}

export function ended(
  after: number,
  service: string,
  state: ServiceOutcome['state'],
  seconds: number,
  failure?: ServiceOutcome['failure'],
): LiveEvent {
  return progress(after, service, state, { outcome: outcome(service, state, seconds, failure) });
}

export const FAILURE = {
  type: 'NotHealthyInTime',
  message: 'identity in identity-ns was not healthy within 300 s: pod identity-0, container identity: CrashLoopBackOff',
  evidence: '/state/evidence/identity.txt',
  summary: ['Warning BackOff restarting failed container', 'ERROR: database "identity" does not exist'],
};

export const PLANNED: LiveEvent[] = [
  { kind: 'started', at: START },
  { kind: 'plan', plan: PLAN, at: START + 1000 },
];
/** Vault is done, the sign-in starts, GitOps is applied. */
export const HALFWAY: LiveEvent[] = [
  ...PLANNED,
  progress(1, 'gitops', 'applying', { detail: 'gitops: nothing there yet' }),
  progress(1, 'vault', 'applying', { detail: 'vault: nothing there yet' }),
  progress(2, 'vault', 'starting', { detail: 'waits for vault to be healthy' }),
  ended(9, 'vault', 'healthy', 8),
  progress(9, 'identity', 'applying'),
  progress(10, 'identity', 'starting', { detail: 'waits for identity to be healthy' }),
];
export const FAILED: LiveEvent[] = [
  ...HALFWAY,
  ended(12, 'gitops', 'healthy', 11),
  ended(310, 'identity', 'failed', 301, FAILURE),
  ended(310, 'identity-init', 'skipped', 0, {
    type: 'DependencyFailed',
    message: 'identity, which it depends on, did not become healthy',
  }),
  ended(310, 'dashboard', 'skipped', 0, {
    type: 'DependencyFailed',
    message: 'identity-init, which it depends on, did not become healthy',
  }),
];

export function fold(events: readonly LiveEvent[]): LiveView {
  return events.reduce(applyLive, emptyLive());
}

export function result(
  outcomeOf: OperationResult['outcome'],
  services: ServiceOutcome[],
  more: Partial<OperationResult> = {},
): OperationResult {
  return {
    operation: 'deploy',
    environment: 'sandbox',
    workflowId: 'deploy/sandbox/1a2b3c4d',
    runId: 'run-1',
    outcome: outcomeOf,
    seconds: 32.1,
    criticalPathSeconds: 30,
    criticalPath: PLAN.criticalPath,
    planDigest: PLAN.digest,
    services,
    ...more,
  };
}

export const ALL_GOOD = [
  outcome('gitops', 'healthy', 11),
  outcome('vault', 'healthy', 8),
  outcome('identity', 'healthy', 14),
  outcome('identity-init', 'completed', 4),
  outcome('dashboard', 'healthy', 4),
];

const took = (seconds: Record<string, number>): PastRun['services'] =>
  Object.fromEntries(Object.entries(seconds).map(([name, one]) => [name, { seconds: one, changed: true }]));
/** Two earlier deployments. */
export const PAST: PastRun[] = [
  { runId: 'run-a', services: took({ gitops: 11, vault: 8, identity: 11, 'identity-init': 6, dashboard: 4 }) },
  { runId: 'run-b', services: took({ gitops: 14, vault: 9, identity: 15, 'identity-init': 8, dashboard: 6 }) },
];
