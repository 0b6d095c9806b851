/** What is found of a service leads to what helps; what it depends on comes first. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { adviceFor } from '../../../src/plan/explain/advice.ts';
import type { Explanation, ReleaseExplanation } from '../../../src/plan/explain/explanation.ts';
import { podRow } from '../../../src/plan/explain/pods.ts';
import { tightQuota } from '../../../src/plan/explain/quotas.ts';

const release: ReleaseExplanation = {
  name: 'api',
  namespace: 'apps',
  helm: { revision: 1, status: 'deployed', writtenAt: '2026-01-01T00:00:00Z', manager: 'helm' },
  workloads: [],
  pods: [],
  claims: [],
  warnings: [],
  logs: [],
};
const explanation = (over: Partial<Explanation> = {}): Explanation => ({
  service: 'api',
  namespace: 'apps',
  healthy: false,
  text: '',
  dependsOn: [],
  dependents: [],
  quotas: [],
  releases: [release],
  ...over,
});
const pod = (reason: string, message = ''): Partial<ReleaseExplanation> => ({
  pods: [{ name: 'api-0', phase: 'Pending', ready: false, restarts: 0, reason, message }],
});
const warning = (reason: string, message: string): Partial<ReleaseExplanation> => ({
  warnings: [{ at: '', object: 'ReplicaSet api-1', reason, message, times: 1 }],
});

describe('advice', () => {
  const cases: [string, Partial<ReleaseExplanation>, RegExp, string[]?][] = [
    ['image', pod('ImagePullBackOff'), /image cannot be pulled/],
    ['missing key', pod('CreateContainerConfigError'), /Secret or ConfigMap/, ['secrets', 'list']],
    ['memory', pod('OOMKilled'), /more memory.*resources\.limits\.memory of api/],
    ['crash', pod('CrashLoopBackOff', 'last exit 1'), /starts and ends/, ['logs', 'api', '--previous']],
    ['no node', pod('Unschedulable', '0/3 nodes are available'), /No node takes the pod/],
    ['probe', pod('NotReady'), /readiness probe/, ['logs', 'api']],
    ['quota', warning('FailedCreate', 'pods "api-0" is forbidden: exceeded quota: none'), /ResourceQuota of apps/],
    ['pod security', warning('FailedCreate', 'violates PodSecurity "restricted"'), /Pod Security of apps/],
    ['webhook', warning('FailedCreate', 'failed calling webhook "x"'), /webhook/],
    ['volume', { claims: ['volume claim data-api-0 is not bound yet (storage class fast)'] }, /volume is missing/],
  ];
  for (const [name, found, text, command] of cases)
    test(name, () => {
      const [first, ...others] = adviceFor(explanation({ releases: [{ ...release, ...found }] }));
      assert.match(`${first?.why} ${first?.next}`, text);
      assert.deepEqual([first?.command, others], [command, []]);
    });

  test('a healthy service needs none', () => {
    assert.deepEqual(adviceFor(explanation({ healthy: true, releases: [{ ...release, ...pod('NotReady') }] })), []);
  });

  test('what it depends on comes before what follows from it; three at most', () => {
    const advice = adviceFor(
      explanation({
        dependsOn: [
          { service: 'db', healthy: false, text: 'no workload' },
          { service: 'cache', healthy: true, text: '' },
        ],
        releases: [
          { ...release, ...pod('CrashLoopBackOff'), ...warning('FailedScheduling', 'x') },
          { ...release, ...pod('OOMKilled') },
        ],
      }),
    );
    assert.deepEqual([advice[0]?.command, advice.length], [['explain', 'db'], 3]);
  });

  test('a quota that is used up explains pods that are missing, not pods that crash', () => {
    const workloads = [{ name: 'Deployment api', status: 'progressing' as const, message: '0/1 replicas ready' }];
    const quotas = ['quota compute of apps: pods 4 of 4'];
    const lacking = explanation({ quotas, releases: [{ ...release, workloads }] });
    assert.match(adviceFor(lacking)[0]?.why ?? '', /ResourceQuota of apps is used up/);
    const crashing = explanation({ quotas, releases: [{ ...release, workloads, ...pod('CrashLoopBackOff') }] });
    assert.deepEqual(
      adviceFor(crashing).map(({ why }) => why),
      ['The container starts and ends.'],
    );
  });

  test('what was never deployed', () => {
    const { helm: _, ...unknown } = release;
    const missing = explanation({ releases: [unknown] });
    assert.deepEqual(adviceFor(missing)[0]?.command, ['deploy', '--only', 'api', '--with-dependencies']);
    const operation = { operation: 'deploy', running: true, startedAt: '', state: 'waiting', waitsFor: [] };
    assert.deepEqual(adviceFor({ ...missing, operation: { ...operation, retries: [], causes: [] } })[0]?.command, [
      'attach',
    ]);
  });
});

test('of a quota what is used up, or nearly', () => {
  const quota = (hard: object, used: object): string | undefined =>
    tightQuota({ metadata: { name: 'compute' }, status: { hard, used } }, 'apps');
  assert.equal(
    quota(
      { pods: '10', 'requests.cpu': '4', 'limits.memory': '4Gi' },
      { pods: '10', 'requests.cpu': '3900m', 'limits.memory': '1Gi' },
    ),
    'quota compute of apps: pods 10 of 10, requests.cpu 3900m of 4',
  );
  // Nothing may be made at all.
  assert.equal(quota({ pods: '0' }, { pods: '0' }), 'quota compute of apps: pods 0 of 0');
  assert.equal(quota({ pods: '10' }, { pods: '8' }), undefined);
  // The quota's controller has not written its status yet.
  assert.equal(quota({ pods: '10' }, {}), undefined);
  assert.equal(tightQuota({ metadata: { name: 'new' } }, 'apps'), undefined);
  assert.equal(tightQuota('no object', 'apps'), undefined);
});

test('a pod in one row', () => {
  assert.deepEqual(
    podRow({
      metadata: { name: 'api-0', deletionTimestamp: '2026-01-01T00:00:00Z' },
      spec: { nodeName: 'node-1' },
      status: {
        phase: 'Running',
        containerStatuses: [
          { name: 'a', ready: false, restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } },
          { name: 'b', ready: true, restartCount: 1 },
        ],
      },
    }),
    {
      name: 'api-0',
      phase: 'Terminating',
      ready: false,
      restarts: 3,
      node: 'node-1',
      reason: 'CrashLoopBackOff',
      message: '',
    },
  );
  assert.deepEqual(podRow({ metadata: { name: 'api-0' } }), {
    name: 'api-0',
    phase: 'Pending',
    ready: false,
    restarts: 0,
    reason: 'Pending',
    message: '',
  });
});
