/**
 * A deployment of four services: one waits for two, one fails, one is skipped for it. Paused once, with checks at its
 * end.
 */
import type { DeploymentEvent } from '../../../src/plan/progress.ts';
import { type OperationReport, type ReportSource, reportOf } from '../../../src/plan/report/report.ts';
import type { OperationPlan, PlannedService } from '../../../src/contract/operations/plan.ts';
import type { PlannedCheck } from '../../../src/contract/checks.ts';
import type { Steering, SteerRequest } from '../../../src/contract/operations/steering.ts';
import { actOf } from '../../../src/plan/steering/acts.ts';
import { emptySteering, intervene } from '../../../src/plan/steering/state.ts';
import type { ServiceProgress } from '../../../src/contract/operations/deploy.ts';

export const BEGAN = Date.UTC(2026, 0, 1, 12);
const service = (number: number, name: string, phase: number, ...dependsOn: string[]): PlannedService => ({
  number,
  phase,
  name,
  namespace: 'shop',
  dependsOn,
  action: 'install',
  reason: 'it is not there',
  steps: [],
  remainingSeconds: 0,
  healthTimeoutSeconds: 60,
});
const checkOf = (name: string): PlannedCheck => ({
  service: 'db',
  name,
  kind: 'http',
  reason: `${name} is as it should be`,
  timeoutSeconds: 5,
  digest: '',
});
const plan: OperationPlan = {
  operation: 'deploy',
  environment: 'shop',
  digest: '0123456789abcdef',
  criticalPathSeconds: 9,
  criticalPath: ['db', 'api'],
  services: [
    service(1, 'db', 1),
    service(2, 'cache', 1),
    service(3, 'api', 2, 'db', 'cache'),
    service(4, 'web', 2, 'api'),
  ],
  prerequisites: false,
  simulated: false,
  phases: [
    { number: 1, title: 'Data' },
    { number: 2, title: 'Applications' },
  ],
  helmTimeoutSeconds: 60,
  onFailure: 'continue',
  checks: [checkOf('page'), checkOf('size')],
};
const PAUSE: SteerRequest = { verb: 'pause', by: 'ops@host', reason: 'look at <db>' };
export const PAUSED: Steering = {
  ...intervene(emptySteering(), PAUSE, new Date(BEGAN + 2000).toISOString()),
};
const RESUMED = intervene(PAUSED, { verb: 'resume', by: 'ops@host' }, new Date(BEGAN + 4000).toISOString());
const progress = (second: number, name: string, state: ServiceProgress['state'], detail?: string): DeploymentEvent => ({
  kind: 'progress',
  event: { service: name, state, at: BEGAN + second * 1000, ...(detail === undefined ? {} : { detail }) },
});
const failure = {
  type: 'NotHealthy',
  message: 'api was not healthy within 60 s: <b>GET /health</b> 503',
  evidence: '/state/evidence/run/api.txt',
  summary: ['pod api-0: CrashLoopBackOff'],
};
export const EVENTS: DeploymentEvent[] = [
  { kind: 'started', at: BEGAN },
  { kind: 'plan', plan, at: BEGAN + 1000 },
  progress(1, 'db', 'applying', 'helm upgrade --install'),
  progress(1, 'cache', 'applying'),
  { kind: 'steering', steering: PAUSED, at: BEGAN + 2000 },
  progress(3, 'db', 'starting', '0/1 replicas ready'),
  progress(3, 'db', 'starting', '0/1 replicas ready'),
  progress(4, 'cache', 'healthy'),
  { kind: 'steering', steering: RESUMED, at: BEGAN + 4000 },
  progress(6, 'db', 'healthy'),
  progress(6, 'api', 'applying'),
  progress(8, 'api', 'starting'),
  progress(10, 'api', 'failed'),
  progress(10, 'web', 'skipped'),
];
const check = (
  second: number,
  name: string,
  state: 'running' | 'passed' | 'failed',
  text?: string,
): DeploymentEvent => ({
  kind: 'check',
  check: { service: 'db', name, state, ...(text === undefined ? {} : { text }) },
  at: BEGAN + second * 1000,
});
/** They would come after services that are all healthy; what they look like does not depend on that. */
export const CHECKED: DeploymentEvent[] = [
  check(8, 'size', 'running'),
  check(8, 'page', 'running'),
  check(9, 'page', 'passed', 'GET / 200'),
  check(9.5, 'size', 'failed', 'it is <too> big'),
];
export const FINISHED: DeploymentEvent = {
  kind: 'finished',
  result: {
    operation: 'deploy',
    environment: 'shop',
    workflowId: 'deploy/shop/uid',
    runId: 'run',
    acts: RESUMED.interventions.map(actOf),
    checks: [
      {
        service: 'db',
        name: 'size',
        kind: 'http',
        passed: false,
        text: 'it is <too> big',
        seconds: 1.5,
        evidence: '/state/evidence/run/size.txt',
      },
    ],
    outcome: 'failed',
    seconds: 10,
    criticalPathSeconds: 9,
    criticalPath: ['db', 'api'],
    planDigest: plan.digest,
    services: [
      { name: 'db', phase: 1, state: 'healthy', seconds: 5, changed: true },
      { name: 'cache', phase: 1, state: 'healthy', seconds: 3, changed: true, notes: ['a note'] },
      { name: 'api', phase: 2, state: 'failed', seconds: 4, changed: true, failure },
      { name: 'web', phase: 2, state: 'skipped', seconds: 0, changed: false },
    ],
  },
};

export function sampleReport(
  events: readonly DeploymentEvent[] = [...EVENTS, ...CHECKED, FINISHED],
  over: Partial<ReportSource> = {},
): OperationReport {
  return reportOf({
    run: { workflowId: 'deploy/shop/uid', runId: 'run' },
    environment: 'shop',
    requestedBy: 'anna@build',
    events,
    retries: [{ at: BEGAN + 7000, what: 'Install api', attempt: 2, message: 'the API server was away' }],
    changes: {
      since: 3,
      releases: [
        {
          service: 'api',
          release: 'api',
          namespace: 'shop',
          kind: 'changed',
          what: 'image 1.0.0 → 1.1.0',
          objects: [
            {
              kind: 'Deployment',
              name: 'api',
              change: 'changed',
              fields: [{ path: 'spec.replicas', from: '1', to: '2' }],
            },
          ],
        },
      ],
    },
    now: BEGAN + 8000,
    ...over,
  });
}
