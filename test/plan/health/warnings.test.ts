import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { missingPods, warningsOf, warningText } from '../../../src/plan/health/index.ts';

const objects = [
  { kind: 'StatefulSet', name: 'db', uid: 'u1' },
  { kind: 'Deployment', name: 'api', uid: 'u2' },
  { kind: 'Job', name: 'init', uid: 'u3' },
  { kind: 'Pod', name: 'api-7c-x', uid: 'u4' },
];
const event = (
  kind: string,
  name: string,
  reason: string,
  message: string,
  at = '10:00:00',
  more: object = {},
): object => ({
  type: 'Warning',
  reason,
  message,
  involvedObject: { kind, name },
  lastTimestamp: `2026-01-01T${at}Z`,
  metadata: { creationTimestamp: '2026-01-01T09:00:00Z' },
  ...more,
});

describe('what controllers say of a release', () => {
  // Texts as kube-controller-manager 1.35 writes them.
  const cases: [string, object, string | undefined, refused?: boolean][] = [
    [
      'a quota, met by a StatefulSet',
      event(
        'StatefulSet',
        'db',
        'FailedCreate',
        'create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0',
      ),
      'StatefulSet db: FailedCreate (pods "db-0" is forbidden: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0)',
      true,
    ],
    [
      'a LimitRange, met by a ReplicaSet of a Deployment',
      event(
        'ReplicaSet',
        'api-7c5d',
        'FailedCreate',
        'Error creating: pods "api-7c5d-x" is forbidden: maximum memory usage per Container is 64Mi, but limit is 256Mi',
      ),
      'ReplicaSet api-7c5d: FailedCreate (pods "api-7c5d-x" is forbidden: maximum memory usage per Container is 64Mi, but limit is 256Mi)',
      true,
    ],
    [
      'the same, many times: without the name that it made up for each pod',
      event(
        'ReplicaSet',
        'api-7c5d',
        'FailedCreate',
        '(combined from similar events): Error creating: pods "api-7c5d-b6hc7" is forbidden: maximum memory usage per Container is 1Mi, but limit is 128Mi',
      ),
      'ReplicaSet api-7c5d: FailedCreate (pods "api-7c5d-…" is forbidden: maximum memory usage per Container is 1Mi, but limit is 128Mi)',
      true,
    ],
    [
      'a quota, met by a StatefulSet that writes its first word large',
      event(
        'StatefulSet',
        'db',
        'FailedCreate',
        'Create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: exceeded quota: none',
      ),
      'StatefulSet db: FailedCreate (pods "db-0" is forbidden: exceeded quota: none)',
      true,
    ],
    [
      'Pod Security, met by a Job',
      event(
        'Job',
        'init',
        'FailedCreate',
        'Error creating: pods "init-a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
      ),
      'Job init: FailedCreate (pods "init-a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true)',
      true,
    ],
    [
      'an admission webhook that says no',
      event('Job', 'init', 'FailedCreate', 'Error creating: admission webhook "policy.example" denied the request: no'),
      'Job init: FailedCreate (admission webhook "policy.example" denied the request: no)',
      true,
    ],
    [
      'a webhook that does not answer: comes back',
      event(
        'Job',
        'init',
        'FailedCreate',
        'Error creating: Internal error occurred: failed calling webhook "policy.example": connection refused',
      ),
      'Job init: FailedCreate (Internal error occurred: failed calling webhook "policy.example": connection refused)',
      false,
    ],
    [
      'no node fits: a node may come',
      event('Pod', 'api-7c-x', 'FailedScheduling', '0/3 nodes are available: 3 Insufficient memory.'),
      'Pod api-7c-x: FailedScheduling (0/3 nodes are available: 3 Insufficient memory.)',
      false,
    ],
    ["somebody else's", event('StatefulSet', 'db-2', 'FailedCreate', 'exceeded quota'), undefined],
    [
      'a ReplicaSet of another Deployment whose name begins alike',
      event('ReplicaSet', 'api-gateway-7c5d', 'FailedCreate', 'exceeded quota'),
      undefined,
    ],
    [
      'one of the same name that is gone',
      event('StatefulSet', 'db', 'FailedCreate', 'exceeded quota', '10:00:00', {
        involvedObject: { kind: 'StatefulSet', name: 'db', uid: 'older' },
      }),
      undefined,
    ],
    ['what every pod says while it starts', event('Pod', 'api-7c-x', 'Unhealthy', 'Readiness probe failed'), undefined],
    [
      'no warning',
      event('StatefulSet', 'db', 'SuccessfulCreate', 'created', '10:00:00', { type: 'Normal' }),
      undefined,
    ],
    ['nothing that looks like an event', { metadata: {} }, undefined],
  ];
  for (const [name, given, text, refused] of cases) {
    test(name, () => {
      const found = warningsOf([given], { objects });
      assert.deepEqual(
        [found.map(warningText), found.map((warning) => warning.refused)],
        text === undefined ? [[], []] : [[text], [refused]],
      );
    });
  }

  test('the newest comes first, and each thing says one', () => {
    const events = [
      event('StatefulSet', 'db', 'FailedCreate', 'old', '10:00:00'),
      event('StatefulSet', 'db', 'FailedCreate', 'new', '10:05:00'),
      event('Job', 'init', 'FailedCreate', 'newest', '09:00:00', {
        series: { lastObservedTime: '2026-01-01T11:00:00Z' },
      }),
    ];
    assert.deepEqual(
      warningsOf(events, { objects }).map(({ message }) => message),
      ['newest', 'new'],
    );
  });
});

test('how many pods a workload has not made', () => {
  const missing = (kind: string, spec: object, status?: object): number =>
    missingPods({ kind, object: { spec, status } });
  assert.deepEqual(
    [
      missing('Deployment', { replicas: 3 }, { updatedReplicas: 1 }),
      missing('Deployment', {}, { updatedReplicas: 1 }),
      missing('StatefulSet', { replicas: 2 }, { replicas: 2 }),
      missing('StatefulSet', { replicas: 2 }),
      missing('DaemonSet', {}, { desiredNumberScheduled: 3, currentNumberScheduled: 1 }),
      missing('Job', {}),
      missing('Job', { suspend: true }),
      missing('Job', {}, { active: 1 }),
      missing('Deployment', { replicas: 0 }),
    ],
    [2, 0, 0, 2, 2, 1, 0, 0, 0],
  );
});
