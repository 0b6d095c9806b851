// Real: control plane, KWOK, Vault, responder. Simulated pods behave as declared and are probed through the API server.
import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { readdir } from 'node:fs/promises';
import { PassThrough, Writable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { Exec, KubeConfig, PortForward, type V1Status } from '@kubernetes/client-node';
import { type Api, clearFailure, failRelease } from '../../bootstrap/cluster/index.ts';
import { clearProbe, failProbe } from '../../bootstrap/responder/index.ts';
import { httpGet } from '../../bootstrap/process/probe.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import type { ServiceInput } from '../../src/catalog/schema.ts';
import { type Embedded, openEmbedded } from '../support/embedded.ts';
import { eventually } from '../support/eventually.ts';

interface Pod {
  metadata: { name: string; uid: string; creationTimestamp: string };
  status: {
    phase?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: {
      ready: boolean;
      state: { waiting?: { reason: string }; terminated?: { reason: string } };
      lastState?: { terminated?: { reason: string } };
    }[];
  };
}

const NAMESPACE = 'simulated-pods';
/** Seconds that the simulated pods of these releases take to start, by release of the small platform. */
const SECONDS = { api: 3, database: 2, 'database-roles': 3, auth: 1 };
/** One more service, whose health is asked by gRPC. */
const RPC = {
  number: 99,
  phase: 4,
  name: 'rpc',
  namespace: 'apps',
  module: 'apps',
  description: 'What is asked by gRPC',
  chart: { bundled: 'service' },
  image: { repository: 'rpc', tag: '1.0.0', own: true },
  health: { kind: 'grpc', port: 7233, service: 'some.Service' },
  ports: [{ name: 'grpc', port: 7233, containerPort: 7233, protocol: 'grpc' }],
  startupSeconds: 3,
  healthTimeoutSeconds: 300,
} satisfies ServiceInput;

let embedded: Embedded;
let api: Api;
let kubeConfig: KubeConfig;

before(async () => {
  embedded = await openEmbedded({
    environment: { simulation: { factor: 1, jitter: 0, startupSeconds: SECONDS } },
    mini: ({ services }) => services.push(RPC),
  });
  api = await embedded.api();
  kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(embedded.layout.kubeconfig);
  await create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await waitUntil('service account', { timeoutMs: 20_000 }, () =>
    api.request('GET', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default`).then(
      () => true,
      () => undefined,
    ),
  );
});
after(() => embedded.close());

const create = (path: string, content: unknown): Promise<unknown> =>
  api.request('POST', path, { type: 'application/json', content });
const podTemplate = (release: string) => ({
  metadata: { labels: { 'app.kubernetes.io/instance': release } },
  spec: {
    restartPolicy: 'Always',
    initContainers: [{ name: 'prepare', image: 'example/prepare' }],
    containers: [
      { name: 'main', image: 'example/main', resources: { requests: { cpu: '250m', 'ephemeral-storage': '1Gi' } } },
    ],
  },
});
const workload = (release: string, name = release) => ({
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { 'app.kubernetes.io/instance': release } },
    template: podTemplate(release),
  },
});

async function pods(release: string): Promise<Pod[]> {
  return (
    (await api.request(
      'GET',
      `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=app.kubernetes.io%2Finstance%3D${release}`,
    )) as { items: Pod[] }
  ).items;
}
const isReady = ({ status }: Pod): boolean =>
  status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
const readyPod = (release: string, timeoutMs = 20_000): Promise<Pod> =>
  waitUntil(`a ready pod of ${release}`, { timeoutMs }, async () => (await pods(release)).find(isReady));

interface Moment {
  monotonic: number;
  wall: number;
}
const now = (): Moment => ({ monotonic: performance.now(), wall: Date.now() });

/**
 * What passed from `began` until it holds, looked at every 20 ms. What is timed from before a request is never too
 * short.
 */
async function timeUntil(what: string, look: () => Promise<boolean>, began = now()): Promise<Moment> {
  await waitUntil(what, { timeoutMs: 30_000, intervalMs: 20 }, async () => ((await look()) ? true : undefined));
  return since(began);
}
const since = (began: Moment): Moment => {
  const { monotonic, wall } = now();
  return { monotonic: monotonic - began.monotonic, wall: wall - began.wall };
};
/**
 * By either clock: the simulator goes by the wall clock, which a virtual machine may set forward or back.
 * @param sooner seconds that it may be too early
 */
const within = ({ monotonic, wall }: Moment, seconds: number, sooner = 0): void => {
  assert.ok(
    Math.max(monotonic, wall) > (seconds - sooner) * 1000 - 150 && Math.min(monotonic, wall) < seconds * 1000 + 4_000,
    `${monotonic} ms (by the wall clock ${wall} ms) for ${seconds} s`,
  );
};

describe('start-up', () => {
  test('a Deployment is ready after its start-up time, and not before', async () => {
    const began = now();
    await create(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      ...workload('api'),
    });
    within(await timeUntil('api', async () => (await pods('api')).some(isReady), began), SECONDS.api);
  });

  test('a StatefulSet with a volume is ready after its time, its claim bound, and nothing is made on this machine', async () => {
    const began = now();
    await create(`/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`, {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'database' },
      spec: {
        ...workload('database').spec,
        serviceName: 'x',
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    });
    within(await timeUntil('database', async () => (await pods('database')).some(isReady), began), SECONDS.database);
    const claim = (await api.request(
      'GET',
      `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims/data-database-0`,
    )) as { status: { phase: string }; spec: { volumeName: string } };
    assert.equal(claim.status.phase, 'Bound');
    const volume = (await api.request('GET', `/api/v1/persistentvolumes/${claim.spec.volumeName}`)) as {
      spec: { hostPath: { path: string } };
    };
    await assert.rejects(readdir(volume.spec.hostPath.path), { code: 'ENOENT' });
  });

  test('a Job is complete after its time', async () => {
    const began = now();
    await create(`/apis/batch/v1/namespaces/${NAMESPACE}/jobs`, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'database-roles' },
      spec: {
        template: {
          ...podTemplate('database-roles'),
          spec: { ...podTemplate('database-roles').spec, restartPolicy: 'Never' },
        },
      },
    });
    within(
      await timeUntil(
        'the Job',
        async () => {
          const job = (await api.request('GET', `/apis/batch/v1/namespaces/${NAMESPACE}/jobs/database-roles`)) as {
            status: { conditions?: { type: string; status: string }[] };
          };
          return job.status.conditions?.some(({ type, status }) => type === 'Complete' && status === 'True') === true;
        },
        began,
      ),
      SECONDS['database-roles'],
      // Its pod ends a second before, which is what the Job's controller takes at most to see it.
      1,
    );
  });

  test('a pod of nobody is ready at once, and goes at once when deleted', async () => {
    await create(`/api/v1/namespaces/${NAMESPACE}/pods`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'nobody', labels: { 'app.kubernetes.io/instance': 'nobody' } },
      spec: podTemplate('nobody').spec,
    });
    within(await timeUntil('nobody', async () => (await pods('nobody')).some(isReady)), 0.2);
    await api.request('DELETE', `/api/v1/namespaces/${NAMESPACE}/pods/nobody`);
    within(await timeUntil('nobody gone', async () => (await pods('nobody')).length === 0), 0);
  });

  test('a restart of the simulator loses no time', async () => {
    await create(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      ...workload('api', 'api-again'),
    });
    const began = now();
    await sleep(700);
    const { pid } = (await embedded.states()).find(({ name }) => name === 'kwok-controller')!;
    process.kill(pid!, 'SIGKILL');
    const stop = embedded.supervise();
    await waitUntil('both', { timeoutMs: 20_000, intervalMs: 20 }, async () =>
      (await pods('api')).filter(isReady).length === 2 ? true : undefined,
    );
    within(since(began), SECONDS.api);
    await stop();
  });
});

describe('failures on request', () => {
  const cases = [
    { failure: 'crash-loop', waiting: 'CrashLoopBackOff', last: 'Error' },
    { failure: 'oom', waiting: 'CrashLoopBackOff', last: 'OOMKilled' },
    { failure: 'image-pull', waiting: 'ImagePullBackOff', last: undefined },
    { failure: 'never-ready', waiting: undefined, last: undefined },
  ] as const;
  for (const { failure, waiting, last } of cases) {
    test(`${failure}: a living pod fails and stays so, and recovers when the failure is cleared`, async () => {
      if ((await pods('auth')).length === 0)
        await create(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`, {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          ...workload('auth'),
        });
      const { metadata } = await readyPod('auth');
      await failRelease(api, 'auth', failure);
      const failed = await waitUntil('the failure', { timeoutMs: 60_000 }, async () =>
        (await pods('auth')).find(
          (pod) => !isReady(pod) && pod.status.containerStatuses?.[0]?.state.waiting?.reason === waiting,
        ),
      );
      assert.equal(failed.status.containerStatuses?.[0]?.lastState?.terminated?.reason, last);
      await sleep(1_500);
      assert.equal((await pods('auth')).some(isReady), false);
      await clearFailure(api, 'auth');
      assert.equal((await readyPod('auth')).metadata.uid, metadata.uid);
    });
  }

  test('never-ready holds for pods that come later', async () => {
    await failRelease(api, 'auth', 'never-ready');
    await api.request(
      'DELETE',
      `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=app.kubernetes.io%2Finstance%3Dauth`,
    );
    // Longer than it takes to get ready.
    await sleep(3_000);
    await eventually(async () => {
      const [pod] = await pods('auth');
      assert.ok(pod !== undefined && !isReady(pod));
      assert.equal(pod.status.phase, 'Running');
    });
    await clearFailure(api, 'auth');
    await readyPod('auth');
  });

  test('job-failed: the Job fails with its pod', async () => {
    await failRelease(api, 'storage-buckets', 'job-failed');
    await create(`/apis/batch/v1/namespaces/${NAMESPACE}/jobs`, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'storage-buckets' },
      spec: {
        backoffLimit: 0,
        template: {
          ...podTemplate('storage-buckets'),
          spec: { ...podTemplate('storage-buckets').spec, restartPolicy: 'Never' },
        },
      },
    });
    await waitUntil('the failed Job', { timeoutMs: 20_000 }, async () => {
      const job = (await api.request('GET', `/apis/batch/v1/namespaces/${NAMESPACE}/jobs/storage-buckets`)) as {
        status: { conditions?: { type: string; status: string }[] };
      };
      return job.status.conditions?.some(({ type, status }) => type === 'Failed' && status === 'True');
    });
    await clearFailure(api, 'storage-buckets');
  });
});

/** A local port that is forwarded to a pod, through the API server. */
async function forwarded<T>(podName: string, port: number, use: (localPort: number) => Promise<T>): Promise<T> {
  const forward = new PortForward(kubeConfig);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    void forward.portForward(NAMESPACE, podName, [port], socket, null, socket).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

function execIn(podName: string, command: string[]): Promise<{ status: V1Status; output: string }> {
  let output = '';
  const collect = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      output += chunk.toString();
      done();
    },
  });
  return new Promise((resolve, reject) => {
    new Exec(kubeConfig)
      .exec(NAMESPACE, podName, 'main', command, collect, new PassThrough(), null, false, (status) => {
        resolve({ status, output });
      })
      .then(
        (socket) => {
          (socket as unknown as EventEmitter).on('error', reject);
        },
        (error: unknown) => {
          reject(new Error((error as { message?: string }).message));
        },
      );
  });
}

describe('probes through the API server', () => {
  const PG_ISREADY = ['pg_isready', '-h', 'database.data.svc', '-p', '5432', '-U', 'postgres'];

  test('exec: the declared command answers; it fails when told to', async () => {
    const { metadata } = await readyPod('database');
    const good = await execIn(metadata.name, PG_ISREADY);
    assert.equal(good.status.status, 'Success');
    assert.match(good.output, /^database\.data\.svc:5432 - accepting connections/);
    await failProbe(embedded.layout.failures, 'database', 'unhealthy');
    const bad = await execIn(metadata.name, PG_ISREADY);
    assert.equal(bad.status.status, 'Failure');
    assert.equal(bad.status.reason, 'NonZeroExitCode');
    assert.deepEqual(bad.status.details?.causes, [{ reason: 'ExitCode', message: '1' }]);
    await clearProbe(embedded.layout.failures, 'database');
    assert.equal((await execIn(metadata.name, PG_ISREADY)).status.status, 'Success');
  });

  for (const command of [
    ['sh', '-c', 'id'],
    ['/bin/sh', '-c', 'id'],
    ['/usr/bin/id'],
    ['pg_isready', '-h', 'somewhere.else'],
    [...PG_ISREADY, '; id'],
  ]) {
    test(`exec: ${command.join(' ').slice(0, 40)} is refused`, async () => {
      const { metadata } = await readyPod('database');
      await assert.rejects(execIn(metadata.name, command), /403/);
    });
  }

  test('http: told apart by the Host header', async () => {
    const { metadata } = await readyPod('api');
    const ask = (service: string, path: string) =>
      forwarded(metadata.name, 8080, async (port) => {
        const response = await fetchHost(port, `${service}.apps.svc`, path);
        return [response.status, (JSON.parse(response.body) as { service: string }).service];
      });
    assert.deepEqual(await ask('api', '/health'), [200, 'api']);
    await failProbe(embedded.layout.failures, 'api', 'unhealthy');
    assert.deepEqual(await ask('api', '/health'), [503, 'api']);
    assert.deepEqual(await ask('admin', '/'), [200, 'admin']);
    await clearProbe(embedded.layout.failures);
  });

  test('grpc: told apart by the authority', async () => {
    const { metadata } = await readyPod('api');
    const check = (authority: string) => forwarded(metadata.name, 7233, (port) => grpcHealth(port, authority));
    assert.equal(await check('rpc.apps.svc'), 1);
    await failProbe(embedded.layout.failures, 'rpc', 'unhealthy');
    assert.equal(await check('rpc.apps.svc'), 2);
    await clearProbe(embedded.layout.failures);
  });

  test('tcp: accepted, or closed when told to', async () => {
    const { metadata } = await readyPod('api');
    // A forwarded connection is taken by the forwarder; that nobody is behind it comes back as an error.
    const opens = async (): Promise<boolean> => {
      const input = new PassThrough();
      const errors = new PassThrough();
      const forward = new PortForward(kubeConfig);
      const refused = new Promise<boolean>((resolve) => {
        errors.once('data', () => {
          resolve(false);
        });
      });
      const socket = await forward.portForward(NAMESPACE, metadata.name, [8081], new PassThrough(), errors, input);
      const open = await Promise.race([refused, sleep(1_000, true)]);
      (socket as { close(): void }).close();
      return open;
    };
    assert.equal(await opens(), true);
    await failProbe(embedded.layout.failures, 'worker', 'refuse');
    await eventually(async () => assert.equal(await opens(), false));
    await clearProbe(embedded.layout.failures);
    await eventually(async () => assert.equal(await opens(), true));
  });

  test('vault: port 8200 of a pod is the real server', async () => {
    const { metadata } = await readyPod('api');
    const answer = await forwarded(metadata.name, 8200, (port) =>
      httpGet({ url: `http://127.0.0.1:${port}/v1/sys/health` }),
    );
    assert.equal(answer.status, 501);
    assert.equal((JSON.parse(answer.body) as { initialized: boolean }).initialized, false);
  });
});

async function fetchHost(port: number, host: string, path: string): Promise<{ status: number; body: string }> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
    asked.once('error', reject);
    asked.end();
  });
}

function grpcHealth(port: number, authority: string): Promise<number> {
  const Client = makeGenericClientConstructor(
    {
      check: {
        path: '/grpc.health.v1.Health/Check',
        requestStream: false,
        responseStream: false,
        requestSerialize: (text: string) => Buffer.concat([Buffer.from([0x0a, text.length]), Buffer.from(text)]),
        requestDeserialize: String,
        responseSerialize: (status: number) => Buffer.from([0x08, status]),
        responseDeserialize: (answer: Buffer) => answer[1] ?? 0,
      },
    },
    'Health',
  );
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.default_authority': authority });
  return new Promise<number>((resolve, reject) => {
    (client['check'] as (request: string, done: (error: Error | null, answer: number) => void) => void).call(
      client,
      'some.Service',
      (error, answer) => {
        if (error) reject(error);
        else resolve(answer);
      },
    );
  }).finally(() => {
    client.close();
  });
}
