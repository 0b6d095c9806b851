// Real, with services of the Ananta Platform: one Kubernetes node on this machine, with real pods beside simulated
// ones, from its first start to a `down` that leaves nothing.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { importImages, nodeRequirements, pidFileOf } from '../../bootstrap/index.ts';
import { belonging, nodeLayout, allocatedNetwork } from '../../bootstrap/node/index.ts';
import { endProcess, runningDaemon } from '../../bootstrap/process/daemon.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { createKubernetesClient } from '../../src/clients/kubernetes/index.ts';
import { type Embedded, openEmbedded } from '../support/embedded.ts';

const TINY = 'docker.io/library/tiny:1';
let embedded: Embedded;
let folder: string;
let machineBefore: string;

const machine = (): string =>
  JSON.stringify({
    mounts: execFileSync('mount', { encoding: 'utf8' })
      .split('\n')
      .filter((line) => !line.includes('/test-images/'))
      .sort(),
    links: readdirSync('/sys/class/net').sort(),
    tables: execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }),
    groups: readdirSync('/sys/fs/cgroup').flatMap((name) => {
      try {
        // Those of tests' runners come and go with them.
        return readdirSync(join('/sys/fs/cgroup', name)).filter(
          (group) => group.startsWith('ananta-') && !group.startsWith('ananta-tests-'),
        );
      } catch {
        return [];
      }
    }),
    forwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8'),
  });

before(async () => {
  const missing = (await nodeRequirements()).filter(({ ok }) => !ok);
  assert.deepEqual(
    missing.map(({ name, remedy }) => `${name}: ${remedy}`),
    [],
    'this machine cannot run a real node; the tier has to run where it can',
  );
  folder = mkdtempSync(join(tmpdir(), 'ananta-tiny-'));
  machineBefore = machine();
  embedded = await openEmbedded({
    name: 'real',
    environment: { cluster: { embedded: { nodes: 1, realNode: { services: ['control-plane-redis'] } } } },
  });
  assert.deepEqual(await importImages(embedded.layout, [tinyImage()]), [TINY]);
});
after(async () => {
  await embedded?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The machine's busybox as an image. */
function tinyImage(): string {
  const root = join(folder, 'root');
  mkdirSync(join(root, 'bin'), { recursive: true });
  cpSync('/bin/busybox', join(root, 'bin', 'busybox'));
  for (const name of ['sh', 'sleep', 'cat', 'nslookup', 'timeout', 'wget', 'httpd', 'echo', 'head', 'sha256sum'])
    symlinkSync('busybox', join(root, 'bin', name));
  execFileSync('tar', ['-C', root, '-cf', join(folder, 'layer.tar'), '.']);
  const layer = createHash('sha256')
    .update(readFileSync(join(folder, 'layer.tar')))
    .digest('hex');
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
    }),
  );
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify([{ Config: 'config.json', RepoTags: [TINY], Layers: ['layer.tar'] }]),
  );
  execFileSync('tar', ['-C', folder, '-cf', join(folder, 'tiny.tar'), 'manifest.json', 'config.json', 'layer.tar']);
  return join(folder, 'tiny.tar');
}

const kubectl = (...args: string[]): string =>
  execFileSync(embedded.runtime().tools['kubectl']!, ['--kubeconfig', embedded.layout.kubeconfig, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/**
 * From the pod `cli`. Debian's static busybox has no time limit of its own: `wget -T` ends with a segmentation fault.
 */
const get = (url: string): string => kubectl('exec', 'cli', '--', 'timeout', '5', 'wget', '-qO-', url);

async function create(kind: string, name: string, spec: unknown, labels: Record<string, string> = {}): Promise<void> {
  const path = { Pod: 'pods', Service: 'services', PersistentVolumeClaim: 'persistentvolumeclaims' }[kind]!;
  await waitUntil(`${kind} ${name}`, { timeoutMs: 20_000 }, async () =>
    (await embedded.api())
      .request('POST', `/api/v1/namespaces/default/${path}`, {
        type: 'application/json',
        content: { apiVersion: 'v1', kind, metadata: { name, labels }, spec },
      })
      .then(
        () => true,
        (error: unknown) => {
          if (!String(error).includes('serviceaccount')) throw error;
          return undefined;
        },
      ),
  );
}

interface Pod {
  spec: { nodeName?: string };
  status: {
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: {
      restartCount: number;
      state: { waiting?: { reason: string } };
      lastState: { terminated?: { reason: string } };
    }[];
  };
}
const pod = async (name: string): Promise<Pod> =>
  (await embedded.api()).request('GET', `/api/v1/namespaces/default/pods/${name}`) as Promise<Pod>;
const ready = (name: string): Promise<Pod> =>
  waitUntil(`pod ${name} is ready`, { timeoutMs: 60_000, intervalMs: 200 }, async () => {
    const found = await pod(name);
    return found.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
      ? found
      : undefined;
  });

/** Of the one service that is real here. */
const REAL = { 'app.kubernetes.io/instance': 'control-plane-redis' };
const container = (command: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'main',
  image: TINY,
  command: ['sh', '-c', command],
  ...more,
});

test('a real pod with a volume, sent there by its release and whatever it asks for; a simulated one beside it', async () => {
  await create(
    'PersistentVolumeClaim',
    'data',
    { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    REAL,
  );
  await create(
    'Pod',
    'web',
    {
      securityContext: { runAsUser: 1000, runAsNonRoot: true, fsGroup: 1000 },
      containers: [
        container('echo started; test -f /data/x || echo kept > /data/x; exec httpd -f -p 8080 -h /data', {
          resources: { requests: { cpu: '1000', memory: '10Ti' } },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        }),
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
    { ...REAL, app: 'web' },
  );
  await create('Service', 'web', {
    type: 'NodePort',
    selector: { app: 'web' },
    ports: [{ port: 80, targetPort: 8080, nodePort: 30_780 }],
  });
  await create('Pod', 'cli', { containers: [container('sleep 100000')] }, REAL);
  await create('Pod', 'simulated', { containers: [{ name: 'main', image: 'invented.example/nothing:1' }] });
  assert.equal((await ready('web')).spec.nodeName, 'real-0');
  assert.equal((await ready('cli')).spec.nodeName, 'real-0');
  assert.equal((await ready('simulated')).spec.nodeName, 'node-0');
});

test('DNS, a Service through kube-proxy, a NodePort from this machine', async () => {
  assert.match(kubectl('exec', 'cli', '--', 'nslookup', 'web.default.svc.cluster.local'), /Address: 10\.96\./);
  assert.equal(
    await waitUntil('the Service answers by its short name', { timeoutMs: 15_000, intervalMs: 200 }, async () => {
      try {
        return get('http://web/x');
      } catch {
        return undefined;
      }
    }),
    'kept\n',
  );
  const network = await allocatedNetwork(nodeLayout(embedded.layout));
  assert.equal(await (await fetch(`http://${network!.node}:30780/x`)).text(), 'kept\n');
});

test('logs and port-forward through the API server; pods reach it at kubernetes.default; nothing lies beyond', async () => {
  assert.match(kubectl('logs', 'web'), /started/);
  const forward = spawn(
    embedded.runtime().tools['kubectl']!,
    ['--kubeconfig', embedded.layout.kubeconfig, 'port-forward', 'pod/web', ':8080'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  try {
    const line = await new Promise<string>((resolve) =>
      forward.stdout.once('data', (data: Buffer) => resolve(data.toString())),
    );
    assert.equal(await (await fetch(`http://127.0.0.1:${/:(\d+)/.exec(line)![1]}/x`)).text(), 'kept\n');
  } finally {
    forward.kill();
  }
  assert.throws(() => get('http://kubernetes.default:443/'), /400 Bad Request/);
  assert.throws(() => get('http://192.0.2.1/'), /unreachable|No route to host/);
});

test('a program in a pod with output and input as streams, larger than any buffer, and its exit code', async () => {
  const kubernetes = createKubernetesClient({ kubeconfig: embedded.layout.kubeconfig, inCluster: false });
  const pod = { namespace: 'default', pod: 'cli' };
  try {
    const bytes = 5_000_000;
    const out = await kubernetes.execStream(pod, ['head', '-c', String(bytes), '/dev/zero']);
    let read = 0;
    for await (const chunk of out.stdout) {
      read += (chunk as Buffer).length;
      // A slow reader holds it up, and loses nothing.
      if (read < 200_000) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual([read, (await out.ended).exitCode], [bytes, 0]);
    const sent = randomBytes(bytes);
    const into = await kubernetes.execStream(pod, ['sh', '-c', `head -c ${bytes} | sha256sum; echo said >&2; exit 3`], {
      input: Readable.from([sent]),
    });
    assert.equal((await text(into.stdout)).split(' ')[0], createHash('sha256').update(sent).digest('hex'));
    assert.deepEqual(await into.ended, { exitCode: 3, stderr: 'said\n' });
    const abort = new AbortController();
    const long = await kubernetes.execStream(pod, ['sleep', '1000'], { signal: abort.signal });
    abort.abort(new Error('enough'));
    await assert.rejects(text(long.stdout), /enough/);
    await assert.rejects(long.ended, /enough/);
  } finally {
    kubernetes.close();
  }
});

test('an image that cannot be had is named; a container beyond its memory is killed', async () => {
  await create('Pod', 'nowhere', { containers: [{ name: 'main', image: 'registry.invalid/nothing:1' }] }, REAL);
  await create(
    'Pod',
    'greedy',
    { containers: [container('x=a; while true; do x=$x$x; done', { resources: { limits: { memory: '16Mi' } } })] },
    REAL,
  );
  await waitUntil(
    'the pull fails',
    { timeoutMs: 60_000, intervalMs: 200 },
    async () =>
      /ErrImagePull|ImagePullBackOff/.exec(
        (await pod('nowhere')).status.containerStatuses?.[0]?.state.waiting?.reason ?? '',
      ) ?? undefined,
  );
  await waitUntil('the container is killed', { timeoutMs: 60_000, intervalMs: 200 }, async () => {
    const [status] = (await pod('greedy')).status.containerStatuses ?? [];
    return JSON.stringify(status ?? '').includes('OOMKilled') ? true : undefined;
  });
});

test('kubelet and containerd killed: pods live on, both come back', async () => {
  const stop = embedded.supervise();
  try {
    for (const name of ['kubelet', 'containerd'] as const) {
      const running = (await runningDaemon(pidFileOf(embedded.layout, name)))!;
      await endProcess(running, 0);
      await waitUntil(`${name} is back`, { timeoutMs: 60_000, intervalMs: 100 }, async () => {
        const now = await runningDaemon(pidFileOf(embedded.layout, name));
        return now !== undefined && now.pid !== running.pid ? true : undefined;
      });
      await waitUntil(`${name} works`, { timeoutMs: 60_000, intervalMs: 100 }, async () =>
        (await embedded.states()).find((state) => state.name === name)?.healthy === true ? true : undefined,
      );
    }
  } finally {
    await stop();
  }
  assert.equal((await ready('web')).status.containerStatuses?.[0]?.restartCount, 0);
});

test('down leaves nothing but data, also of an attempt that was killed; up goes on with them', async () => {
  const node = nodeLayout(embedded.layout);
  // As after a SIGKILL of everything that keeps order.
  for (const name of ['kubelet', 'containerd'] as const)
    await endProcess((await runningDaemon(pidFileOf(embedded.layout, name)))!, 0);
  assert.ok((await belonging(node)).length > 0);
  await embedded.down();
  assert.equal(machine(), machineBefore);
  await embedded.up();
  // Its status is that of before until kubelet has looked.
  await waitUntil('the pod runs again, on its data', { timeoutMs: 90_000, intervalMs: 300 }, async () => {
    try {
      return kubectl('exec', 'web', '--', 'cat', '/data/x') === 'kept\n' ? true : undefined;
    } catch {
      return undefined;
    }
  });
  await embedded.down();
  assert.equal(machine(), machineBefore);
});
