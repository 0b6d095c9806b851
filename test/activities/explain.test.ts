/** What `explain` reads from the cluster about a service: complete, in order, and without secret values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainService } from '../../src/effects/explain.ts';
import type { KubernetesObject } from '../../src/clients/kubernetes/index.ts';
import { adviceFor } from '../../src/plan/explain/advice.ts';
import { explanationLines } from '../../src/cli/render/explain.ts';
import { plainStyle } from '../../src/cli/shared/terminal.ts';
import { withFakeClients } from '../support/fakes/clients.ts';

const labels = { 'app.kubernetes.io/instance': 'api' };
const object = (name: string, rest: object): KubernetesObject => ({
  metadata: { name, namespace: 'apps', uid: name, resourceVersion: '1', generation: 1, labels },
  ...rest,
});
const deployment = object('api', {
  spec: { replicas: 1, selector: { matchLabels: labels } },
  status: { observedGeneration: 1, replicas: 1, unavailableReplicas: 1 },
});
const pod = object('api-1-x', {
  spec: { nodeName: 'node-1', containers: [{ name: 'main' }] },
  status: {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'main',
        ready: false,
        restartCount: 4,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
        lastState: { terminated: { exitCode: 2, reason: 'Error' } },
      },
    ],
  },
});
const event = (name: string, about: { kind: string; name: string }, message: string): KubernetesObject =>
  object(name, {
    type: 'Warning',
    reason: 'BackOff',
    message,
    count: 3,
    lastTimestamp: '2026-01-01T00:00:00Z',
    involvedObject: about,
  });

test('a crashing service: its pods, warnings and logs, what it depends on, what helps; no secret value', () =>
  withFakeClients(async ({ clients, cluster }) => {
    cluster.watched.set('Deployment/apps/api/api', deployment);
    cluster.watched.set('Pod/apps/api/api-1-x', pod);
    cluster.objects.set('/apis/apps/v1/namespaces/apps/deployments/api', deployment);
    cluster.objects.set('/api/v1/namespaces/apps/pods/api-1-x', pod);
    for (const one of [
      event('a', { kind: 'Pod', name: 'api-1-x' }, 'Back-off restarting'),
      event('b', { kind: 'Pod', name: 'stranger' }, 'not ours'),
    ])
      cluster.objects.set(`/api/v1/namespaces/apps/events/${one.metadata.name}`, one);
    cluster.objects.set('/api/v1/namespaces/apps/resourcequotas/compute', {
      metadata: { name: 'compute', namespace: 'apps', uid: 'q', resourceVersion: '1' },
      status: { hard: { pods: '1', secrets: '9' }, used: { pods: '1', secrets: '2' } },
    });
    clients.redactor.learn('hunter2hunter2');
    clients.kubernetes.podLog = (_pod, container, options) =>
      Promise.resolve(`${container}${options?.previous ? ' before' : ''}: cannot log in with hunter2hunter2\n`);
    const service = clients.catalog.services.find(({ name }) => name === 'api')!;
    const { cleaned, ...found } = await explainService(clients, service);
    const [release] = found.releases.filter(({ name }) => name === 'api');
    assert.deepEqual(
      [found.healthy, release?.helm, release?.workloads.map(({ name }) => name), release?.pods],
      [
        false,
        undefined,
        ['Deployment api'],
        [
          {
            name: 'api-1-x',
            phase: 'Running',
            ready: false,
            restarts: 4,
            node: 'node-1',
            reason: 'CrashLoopBackOff',
            message: 'last exit 2 Error',
          },
        ],
      ],
    );
    assert.deepEqual(
      release?.warnings.map(({ object: about, times }) => [about, times]),
      [['Pod api-1-x', 3]],
    );
    assert.deepEqual(
      release?.logs.map(({ previous, lines }) => [previous, lines]),
      [
        [false, ['main: cannot log in with [redacted]']],
        [true, ['main before: cannot log in with [redacted]']],
      ],
    );
    assert.deepEqual(
      found.dependsOn.map(({ service: name, healthy }) => [name, healthy]),
      service.dependsOn.map((name) => [name, false]),
    );
    const lines = explanationLines(found, adviceFor(found), {
      environment: 'sandbox',
      columns: 100,
      style: plainStyle,
      now: Date.parse('2026-01-01T00:01:00Z'),
      cleaned,
    });
    const screen = lines.join('\n');
    for (const part of [
      /^✘ api \(apps, sandbox\) is not healthy/,
      /Release api: Helm knows none/,
      /pod api-1-x {2}Running {2}4 restarts {2}node-1 {2}CrashLoopBackOff: last exit 2 Error/,
      /! Pod api-1-x: BackOff Back-off restarting \(3 times\), 60 s ago/,
      /Log of api-1-x, container main:\n {4}main: cannot log in with \[redacted\]/,
      /Quotas\n {2}quota compute of apps: pods 1 of 1\n/,
      /What helps:/,
    ])
      assert.match(screen, part);
    assert.equal(/hunter2|not ours/.test(screen), false);
    assert.ok(
      lines.every((line) => line.length <= 100),
      screen,
    );
  }));

test('what an operation does with it: whom it waits for, what was decided, when it is tried again', () => {
  const operation = {
    operation: 'deploy',
    running: true,
    startedAt: '2026-01-01T00:00:00Z',
    state: 'failed',
    since: '2026-01-01T00:00:30Z',
    healthDeadlineSeconds: 240,
    waitsFor: [],
    held: ['Paused by ops@host since 2026-01-01T00:00:40Z: look first'],
    decided: ['api tried again by ops@host (2026-01-01T00:00:20Z)'],
    retries: [
      { activity: 'applyRelease', attempt: 3, message: 'api: no route to host', nextAt: '2026-01-01T00:01:12Z' },
      { activity: 'applyRelease', attempt: 2, message: 'api: timed out', nextAt: '2026-01-01T00:00:59Z' },
    ],
    causes: [],
  };
  const explanation = {
    ...{ service: 'api', namespace: 'apps', healthy: false, text: 'not ready' },
    ...{ dependsOn: [], dependents: [], quotas: [], releases: [], operation },
  };
  const now = Date.parse('2026-01-01T00:01:00Z');
  const view = { environment: 'sandbox', columns: 120, style: plainStyle, now, cleaned: true };
  assert.deepEqual(explanationLines(explanation, [], view).slice(3, 10), [
    'Operation',
    '  deploy, started 60 s ago, is running; failed for 30 s',
    '  health deadline: 4 min for each of its releases (extend gives it more)',
    '  Paused by ops@host since 2026-01-01T00:00:40Z: look first',
    '  api tried again by ops@host (2026-01-01T00:00:20Z)',
    '  applyRelease, attempt 3 in 12 s (2026-01-01T00:01:12Z): api: no route to host',
    '  applyRelease, attempt 2 at 2026-01-01T00:00:59Z: api: timed out',
  ]);
});
