import assert from 'node:assert/strict';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createActivities } from '../../src/activities/index.ts';
import { getSecret } from '../../src/effects/secrets.ts';
import { createRedactor } from '../../src/clients/redact.ts';
import type { KubernetesObject } from '../../src/clients/kubernetes/index.ts';
import type { PlannedService } from '../../src/contract/operations/plan.ts';
import { withFakeClients } from '../support/fakes/clients.ts';
import { testScope } from '../support/scope.ts';

const step = {
  kind: 'release' as const,
  name: 'cache',
  namespace: 'stores',
  job: false,
  action: 'install' as const,
  reason: '',
  digest: '',
};
const service: PlannedService = {
  number: 5,
  phase: 2,
  name: 'cache',
  namespace: 'stores',
  dependsOn: [],
  action: 'install',
  reason: '',
  steps: [step],
  remainingSeconds: 1,
  healthTimeoutSeconds: 1,
};

const base = '/namespaces/stores';
const pod: KubernetesObject = {
  metadata: {
    name: 'cache-0',
    namespace: 'stores',
    uid: 'p',
    resourceVersion: '1',
    labels: { 'app.kubernetes.io/instance': 'cache' },
  },
  spec: { containers: [{ name: 'redis' }] },
  status: {
    phase: 'Running',
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        reason: 'ContainersNotReady',
        message: 'containers with unready status: [redis]',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
    containerStatuses: [
      {
        name: 'redis',
        restartCount: 3,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
        lastState: { terminated: { exitCode: 1, reason: 'Error' } },
      },
    ],
  },
};
const event = (name: string, object: string, type: string, message: string): [string, KubernetesObject] => [
  `/api/v1${base}/events/${name}`,
  {
    metadata: { name, namespace: 'stores', uid: name, resourceVersion: '1' },
    type,
    reason: 'BackOff',
    message,
    lastTimestamp: '2026-01-01T00:00:00Z',
    involvedObject: { kind: 'Pod', name: object },
  },
];

describe('evidence', () => {
  test("workloads, pods, events, logs before and after the restart and Helm's words in one file; a few lines for the terminal", async () => {
    await withFakeClients(async ({ clients, cluster, run, folder }) => {
      cluster.objects.set(`/api/v1${base}/pods/cache-0`, pod);
      for (const [path, object] of [
        event('a', 'cache-0', 'Warning', 'Back-off restarting'),
        event('b', 'somebody-else', 'Warning', 'not ours'),
      ])
        cluster.objects.set(path, object);
      clients.kubernetes.podLog = (_pod, container, options) =>
        Promise.resolve(`${container} ${options?.previous ? 'before' : 'now'}: cannot bind`);
      await writeFile(join(folder, 'cache.log'), 'Helm said this\n');
      const { evidence, summary } = await createActivities(clients, () => testScope()).collectEvidence({
        run,
        service,
        reason: 'not healthy',
      });
      const text = await readFile(evidence!, 'utf8');
      assert.equal(evidence, join(folder, 'evidence', 'run-1', 'cache.txt'));
      assert.equal((await stat(evidence)).mode & 0o777, 0o600);
      for (const part of [
        '# cache: not healthy',
        'CrashLoopBackOff',
        'Back-off restarting',
        'redis now: cannot bind',
        '### Conditions\nPod cache-0: Ready False since 2026-01-01T00:00:00Z ContainersNotReady containers with unready status: [redis]',
        'before its restart\nredis before: cannot bind',
        'Helm said this',
      ])
        assert.ok(text.includes(part), part);
      assert.equal(text.includes('not ours'), false);
      assert.deepEqual(summary, [
        'pod cache-0, container redis: CrashLoopBackOff (last exit 1 Error)',
        'Pod cache-0: BackOff Back-off restarting',
        'cache-0: redis now: cannot bind',
      ]);
    });
  });

  test('all pods are ready and the service does not work all the same: their logs are what tells why', async () => {
    await withFakeClients(async ({ clients, cluster, run }) => {
      cluster.objects.set(`/api/v1${base}/pods/cache-0`, {
        ...pod,
        status: {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [{ name: 'redis', ready: true, restartCount: 0, state: { running: {} } }],
        },
      });
      clients.kubernetes.podLog = (_pod, container) => Promise.resolve(`${container}: MISCONF cannot persist`);
      const { evidence, summary } = await createActivities(clients, () => testScope()).collectEvidence({
        run,
        service,
        reason: 'answers -MISCONF',
      });
      assert.match(
        await readFile(evidence!, 'utf8'),
        /### Log of cache-0, container redis\nredis: MISCONF cannot persist/,
      );
      assert.deepEqual(summary, ['cache-0: redis: MISCONF cannot persist']);
    });
  });

  test('events of a release whose name begins alike are not its own; those of its claims and replica sets are', async () => {
    await withFakeClients(async ({ clients, cluster, run }) => {
      const [row] = clients.catalog.services.slice(-1);
      const alike = ['queue', 'queue-store', 'queue-ui'].map((name) => ({ ...row!, name, namespace: 'engine' }));
      clients.catalog = { ...clients.catalog, services: alike };
      const at = (name: string, kind: string): void => {
        const path = `/api/v1/namespaces/engine/events/${name}`;
        cluster.objects.set(path, {
          metadata: { name, namespace: 'engine', uid: path, resourceVersion: '1' },
          type: 'Warning',
          reason: 'Trouble',
          message: `of ${name}`,
          lastTimestamp: '2026-01-01T00:00:00Z',
          involvedObject: { kind, name },
        });
      };
      for (const name of ['queue-store-0', 'queue-ui-5d8-x', 'queue-7c9-y']) at(name, 'Pod');
      for (const name of ['data-queue-0', 'data-queue-store-0']) at(name, 'PersistentVolumeClaim');
      const queue = {
        ...service,
        name: 'queue',
        namespace: 'engine',
        steps: [{ ...step, name: 'queue', namespace: 'engine' }],
      };
      const { evidence } = await createActivities(clients, () => testScope()).collectEvidence({
        run,
        service: queue,
        reason: 'x',
      });
      const text = await readFile(evidence!, 'utf8');
      assert.deepEqual([...text.matchAll(/Trouble of (\S+)/g)].map(([, name]) => name).sort(), [
        'data-queue-0',
        'queue-7c9-y',
      ]);
    });
  });

  test('a worker that has just started redacts secrets that it has never written itself', async () => {
    await withFakeClients(async ({ clients, cluster, run }) => {
      const seeding = createActivities(clients, () => testScope());
      await seeding.openVault(run);
      await seeding.configureVault(run);
      await seeding.seedVault(run);
      const value = (await getSecret(clients, 'stores/cache', 'redis-password'))!;
      cluster.objects.set(`/api/v1${base}/pods/cache-0`, pod);
      clients.kubernetes.podLog = () => Promise.resolve(`connecting with redis://:${value}@host`);
      const fresh = createActivities({ ...clients, redactor: createRedactor() }, () => testScope());
      const { evidence, summary } = await fresh.collectEvidence({ run, service, reason: 'x' });
      assert.equal((await readFile(evidence!, 'utf8')).includes(value), false);
      assert.ok(summary!.some((line) => line.includes('redis://:[redacted]@host')));
    });
  });

  test('a worker that knows nothing yet, and a sealed Vault: what a pod logs of its password stays out of history', async () => {
    await withFakeClients(async (parts) => {
      const activities = createActivities(parts.clients, () => testScope());
      await activities.openVault(parts.run);
      await activities.configureVault(parts.run);
      await activities.seedVault(parts.run);
      await activities.syncSecrets(parts.run);
      const password = (await getSecret(parts.clients, 'stores/cache', 'redis-password'))!;
      const token = (await getSecret(parts.clients, 'apps/api', 'api-token'))!;
      parts.vault.seal();
      await rm(parts.clients.vault.keys.path);
      // As after a restart of the worker.
      const fresh = createRedactor();
      const clients = { ...parts.clients, redactor: fresh };
      const log = [
        `cannot log in with ${password}`,
        `api-token=${token}`,
        'REDIS_URL redis://:a-password-of-others@cache:6379',
        `bare ${token}`,
      ].join('\n');
      clients.kubernetes = { ...parts.clients.kubernetes, podLog: () => Promise.resolve(log) };
      parts.cluster.objects.set(`/api/v1${base}/pods/cache-0`, pod);
      for (const [path, object] of [event('a', 'cache-0', 'Warning', 'probe said DB_PASS=hunter-two')])
        parts.cluster.objects.set(path, object);

      const found = await createActivities(clients, () => testScope()).collectEvidence({
        run: parts.run,
        service,
        reason: 'x',
      });
      const history = JSON.stringify(found);
      const file = await readFile(found.evidence!, 'utf8');
      for (const value of [password, token, 'a-password-of-others', 'hunter-two']) assert.ok(!history.includes(value));
      assert.match(history, /The end of the log is in the evidence file alone: Vault is not open/);
      assert.match(history, /DB_PASS=\[redacted\]/);
      // Values of Kubernetes Secrets are redacted whenever they can be read; a value that only Vault holds may appear
      // in the file.
      for (const value of [password, `api-token=${token}`, 'a-password-of-others'])
        assert.ok(!file.includes(value), value);
      assert.match(file, /Vault is not open: values in logs and events are hidden where they look like secrets/);
    });
  });
});
