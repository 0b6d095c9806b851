/**
 * Somebody else on the cluster: plants what other owners, controllers and people have there, and proves at the end that
 * all of it is as it was. Use it in every test that deploys, repairs or destroys on a real API server:
 *
 *   const bystander = await plantBystander(kubernetes, { kubeconfig, folder: sandbox.folder, within: ['apps'] });
 *   … what is tested …
 *   await bystander.assertUntouched();
 *
 * Planted: a namespace of its own with a Deployment, a ConfigMap, a Secret, a claim and a release of plain Helm; in
 * each namespace of `within` (they have to exist) a ConfigMap, a Secret named like those made from Vault, and a claim,
 * all without a mark of ours; with `owned` also objects that another environment of ours made: they carry all our marks
 * and its name. Each has a finalizer and a label of a controller of its own. A namespace of the platform that holds any
 * of it outlives `destroy`: `kept` lists those. `touch` lets the controller write to an object of ours, and has
 * `assertUntouched` look that it is still there. `leave` takes everything away, where a test goes on without it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { waitUntil } from '../../../bootstrap/process/wait.ts';
import { acquireTools } from '../../../bootstrap/tools/index.ts';
import type { KubernetesClient, KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import { readConfig } from '../../../src/config.ts';
import {
  MANAGED_BY,
  MANAGED_BY_LABEL,
  OWNER_LABEL,
  RECORDS_NAMESPACE,
  RELEASE_LABELS,
} from '../../../src/contract/names.ts';
import { clusterOf, kubeconfigOf } from './cluster-facts.ts';
import type { Sandbox } from './sandbox.ts';

export interface Bystander {
  /** Namespaces that stay because of it, its own left out. */
  kept: string[];
  /**
   * The controller puts an annotation and, unless asked otherwise, a finalizer on an object of ours. @param path in the
   * API
   */
  touch: (path: string, options?: { finalizer?: boolean }) => Promise<void>;
  /** @throws AssertionError that names every object that is gone, going, or another one than it was */
  assertUntouched: (through?: KubernetesClient) => Promise<void>;
  leave: () => Promise<void>;
}

export interface BystanderOptions {
  kubeconfig: string;
  /** Where its chart, and what Helm remembers, may lie. */
  folder: string;
  /** Namespaces of the platform in which it has something. */
  within?: readonly string[];
  /** Also what another environment of ours has made there, and in the namespace of the deployer's records. */
  owned?: boolean;
}

export const BYSTANDER = {
  namespace: 'bystander',
  environment: 'bystanders-own',
  manager: 'bystander-controller',
  finalizer: 'bystander.example.com/hold',
  annotation: 'bystander.example.com/seen',
} as const;

const run = promisify(execFile);
type Planted = [path: string, object: Record<string, unknown>];

export async function plantBystander(kubernetes: KubernetesClient, options: BystanderOptions): Promise<Bystander> {
  const { within = [], owned = false } = options;
  const planted = [
    ...ofItsOwn(),
    ...within.flatMap((namespace) => besideOurs(namespace)),
    ...(owned ? [...within.flatMap((namespace) => ofAnotherEnvironment(namespace)), ...recordsOfAnother()] : []),
  ];
  await apply(
    options,
    planted.map(([, object]) => object),
  );
  const helm = await plainHelm(options);
  await helm([
    'upgrade',
    '--install',
    'their-release',
    await chartIn(options.folder),
    '--namespace',
    BYSTANDER.namespace,
  ]);
  const release = ['configmaps/their-release', 'secrets/sh.helm.release.v1.their-release.v1'].map(
    (name) => `/api/v1/namespaces/${BYSTANDER.namespace}/${name}`,
  );
  const before = new Map<string, unknown>();
  for (const path of [...planted.map(([one]) => one), ...release])
    before.set(path, shapeOf(await kubernetes.get(path)));
  const touched = new Set<string>();
  return {
    kept: [...new Set(within)].sort(),
    touch: async (path, { finalizer = true } = {}) => {
      const object = await kubernetes.get(path);
      assert.ok(object, `${path} is not there`);
      const mark = {
        annotations: { [BYSTANDER.annotation]: 'yes' },
        ...(finalizer ? { finalizers: [BYSTANDER.finalizer] } : {}),
      };
      const { name, namespace } = object.metadata;
      await apply(options, [
        { apiVersion: object['apiVersion'], kind: object['kind'], metadata: { name, namespace, ...mark } },
      ]);
      touched.add(path);
    },
    assertUntouched: async (through: KubernetesClient = kubernetes) => {
      const after = new Map<string, unknown>();
      for (const path of before.keys()) after.set(path, shapeOf(await through.get(path)));
      assert.deepEqual(Object.fromEntries(after), Object.fromEntries(before));
      for (const path of touched) {
        const object: KubernetesObject | undefined = await through.get(path);
        const mark = object?.metadata.annotations?.[BYSTANDER.annotation];
        assert.equal(mark, 'yes', `${path}: what a controller wrote there is gone`);
      }
    },
    leave: async () => {
      await helm(['uninstall', 'their-release', '--namespace', BYSTANDER.namespace]);
      const paths = [...planted.map(([path]) => path), ...touched].reverse();
      for (const path of paths) {
        const object = await kubernetes.get(path);
        if (object?.metadata['finalizers'] !== undefined) {
          const all = object.metadata['finalizers'] as string[];
          const index = all.indexOf(BYSTANDER.finalizer);
          if (index >= 0) await kubernetes.patch(path, [{ op: 'remove', path: `/metadata/finalizers/${index}` }]);
        }
        if (!touched.has(path)) await kubernetes.remove(path);
      }
      await waitUntil('the end of its namespace', { timeoutMs: 120_000 }, async () =>
        (await kubernetes.get(`/api/v1/namespaces/${BYSTANDER.namespace}`)) === undefined ? true : undefined,
      );
    },
  };
}

/**
 * For a test that asks nothing else of the cluster: planted in namespaces of its own, once the sandbox's cluster runs.
 */
export async function bystanderOn(sandbox: Sandbox): Promise<Pick<Bystander, 'assertUntouched'>> {
  const withCluster = async <T>(work: (kubernetes: KubernetesClient) => Promise<T>): Promise<T> => {
    const kubernetes = await clusterOf(sandbox);
    try {
      return await work(kubernetes);
    } finally {
      kubernetes.close();
    }
  };
  const { folder } = sandbox;
  const kubeconfig = await kubeconfigOf(sandbox);
  const planted = await withCluster((kubernetes) => plantBystander(kubernetes, { kubeconfig, folder }));
  return { assertUntouched: () => withCluster((kubernetes) => planted.assertUntouched(kubernetes)) };
}

/** What nobody but its owner may change: not what the cluster's controllers write. */
function shapeOf(object: KubernetesObject | undefined): unknown {
  if (object === undefined) return undefined;
  const { uid, labels, deletionTimestamp } = object.metadata;
  const annotations = Object.fromEntries(
    Object.entries(object.metadata.annotations ?? {}).filter(([name]) => !/kubernetes\.io\//.test(name)),
  );
  const { data, spec } = object as { data?: unknown; spec?: Record<string, unknown> };
  const { volumeName: _, ...wanted } = spec ?? {};
  return {
    uid,
    labels,
    annotations,
    deletionTimestamp,
    finalizers: (object.metadata['finalizers'] as string[] | undefined)?.filter((name) => name === BYSTANDER.finalizer),
    data,
    spec: wanted,
  };
}

function planted(
  root: string,
  apiVersion: string,
  kind: string,
  plural: string,
  namespace: string | undefined,
  name: string,
  rest: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
): Planted {
  const { labels, ...more } = metadata as { labels?: Record<string, string> };
  return [
    `${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}/${name}`,
    {
      apiVersion,
      kind,
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        // Held, so that whoever deletes it leaves a trace.
        finalizers: [BYSTANDER.finalizer],
        labels: { 'bystander.example.com/owner': 'them', ...labels },
        ...more,
      },
      ...rest,
    },
  ];
}

const SECRET = { type: 'Opaque', stringData: { password: 'theirs' } };
const CLAIM = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } } };
const core = (
  kind: string,
  plural: string,
  namespace: string,
  name: string,
  rest: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
): Planted => planted('/api/v1', 'v1', kind, plural, namespace, name, rest, metadata);

function ofItsOwn(): Planted[] {
  const { namespace } = BYSTANDER;
  const labels = { app: 'their-app' };
  const pod = {
    metadata: { labels },
    spec: { containers: [{ name: 'app', image: 'registry.example.com/their-app:1' }] },
  };
  return [
    ['/api/v1/namespaces/bystander', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }],
    planted('/apis/apps/v1', 'apps/v1', 'Deployment', 'deployments', namespace, 'their-app', {
      spec: { replicas: 0, selector: { matchLabels: labels }, template: pod },
    }),
    core('ConfigMap', 'configmaps', namespace, 'their-settings', { data: { a: 'b' } }),
    core('Secret', 'secrets', namespace, 'their-secret', SECRET),
    core('PersistentVolumeClaim', 'persistentvolumeclaims', namespace, 'their-data', CLAIM),
  ];
}

/** Named as ours are, and without any mark of ours. */
function besideOurs(namespace: string): Planted[] {
  return [
    core('ConfigMap', 'configmaps', namespace, 'their-settings', { data: { a: 'b' } }),
    core('Secret', 'secrets', namespace, 'vault-their-service', SECRET),
    core('PersistentVolumeClaim', 'persistentvolumeclaims', namespace, 'data-their-service-0', CLAIM),
  ];
}

/** With every mark that ours have, and the name of another environment. */
function ofAnotherEnvironment(namespace: string): Planted[] {
  const labels = { [MANAGED_BY_LABEL]: MANAGED_BY, [OWNER_LABEL]: BYSTANDER.environment };
  return [
    core('ConfigMap', 'configmaps', namespace, 'another-environments', { data: { a: 'b' } }, { labels }),
    core('Secret', 'secrets', namespace, 'vault-another-environments', SECRET, { labels }),
    core('PersistentVolumeClaim', 'persistentvolumeclaims', namespace, 'another-environments', CLAIM, { labels }),
  ];
}

function recordsOfAnother(): Planted[] {
  const marks = { [MANAGED_BY_LABEL]: MANAGED_BY, [OWNER_LABEL]: BYSTANDER.environment };
  const labels = { ...marks, [RELEASE_LABELS.environment]: BYSTANDER.environment };
  return [
    core('ConfigMap', 'configmaps', RECORDS_NAMESPACE, `version-${BYSTANDER.environment}-1`, { data: {} }, { labels }),
    core('Secret', 'secrets', RECORDS_NAMESPACE, 'vault-keys-of-another', SECRET, { labels: marks }),
  ];
}

/** Server-side apply by kubectl, in the name of the controller. */
async function apply({ kubeconfig, folder }: BystanderOptions, items: readonly unknown[]): Promise<void> {
  const config = readConfig();
  const tools = acquireTools({
    names: ['kubectl'],
    cacheDir: config.cacheDir,
    mirror: config.toolsMirror,
    env: config.childEnv,
  });
  const { path } = await tools.get('kubectl');
  const file = join(folder, `bystander-${process.hrtime.bigint()}.json`);
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await run(
    path,
    ['--kubeconfig', kubeconfig, 'apply', '--server-side', '--field-manager', BYSTANDER.manager, '--filename', file],
    { env: { HOME: folder, GOGC: 'off' } },
  );
}

async function plainHelm({
  kubeconfig,
  folder,
}: BystanderOptions): Promise<(args: readonly string[]) => Promise<void>> {
  const config = readConfig();
  const tools = acquireTools({
    names: ['helm'],
    cacheDir: config.cacheDir,
    mirror: config.toolsMirror,
    env: config.childEnv,
  });
  const { path } = await tools.get('helm');
  return async (args) => {
    await run(path, ['--kubeconfig', kubeconfig, ...args], { env: { HOME: join(folder, 'plain-helm'), GOGC: 'off' } });
  };
}

async function chartIn(folder: string): Promise<string> {
  const chart = join(folder, 'their-chart');
  await mkdir(join(chart, 'templates'), { recursive: true });
  await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: their-chart\nversion: 0.1.0\n');
  await writeFile(
    join(chart, 'templates', 'settings.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}"}\ndata: {a: b}\n',
  );
  return chart;
}
