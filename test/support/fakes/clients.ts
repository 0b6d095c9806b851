/** Clients for activities, with a small catalog and whatever a test puts in the place of the cluster. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createChartStore } from '../../../src/clients/charts/index.ts';
import type { Clients } from '../../../src/clients/index.ts';
import {
  type KubernetesClient,
  KubernetesError,
  type KubernetesObject,
  type WatchedKind,
} from '../../../src/clients/kubernetes/index.ts';
import { createRedactor } from '../../../src/clients/redact.ts';
import { createVaultClient } from '../../../src/clients/vault/index.ts';
import { readConfig } from '../../../src/config.ts';
import type { RunRef } from '../../../src/contract/operations/deploy.ts';
import { loadEnvironment } from '../../../src/environment/load.ts';
import { ownerRecord } from '../owner.ts';
import { fakeCatalog } from './catalog.ts';
import { disown, mergedInto, patched, refuseChange } from './changes.ts';
import { selectedBy } from './selector.ts';
import { type FakeVault, fakeVault } from './vault.ts';

export interface FakeCluster {
  /** By path. */
  objects: Map<string, KubernetesObject>;
  applied: { path: string; object: Record<string, unknown>; force: boolean }[];
  removed: string[];
  /** What the watches know, and whether they are up to date. */
  watched: Map<string, KubernetesObject>;
  live: boolean;
  /** Events of type Warning. */
  warnings: KubernetesObject[];
  /** What the watches may no longer look at. */
  refused: string | undefined;
  /** Calls the listeners of a release. */
  notify: (namespace: string, release: string) => void;
  lists: number;
  /** The API server's clock, where it is another one than this machine's. Milliseconds. */
  now?: () => number;
}

export interface FakeParts {
  clients: Clients;
  cluster: FakeCluster;
  vault: FakeVault;
  run: RunRef;
  folder: string;
}

export async function withFakeClients(work: (parts: FakeParts) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fake-clients-'));
  const config = readConfig();
  const catalog = fakeCatalog();
  const environment = await loadEnvironment('sandbox', config);
  const redactor = createRedactor();
  const vault = fakeVault();
  const { kubernetes, cluster } = fakeKubernetes();
  cluster.objects.set(...ownerRecord());
  const keysFile = join(folder, 'vault-keys.json');
  const connections: Clients['connections'] = {
    kubernetes: { kubeconfig: '', inCluster: false },
    engine: { address: '', namespace: '' },
    helm: 'helm',
    stateDir: folder,
    vault: { kubernetesHost: 'https://kubernetes.default.svc', keysFile },
  };
  const clients: Clients = {
    environment,
    connections,
    config,
    catalog,
    kubernetes,
    redactor,
    helm: {
      upgrade: () => Promise.reject(new Error('no Helm here')),
      uninstall: () => Promise.reject(new Error('no Helm here')),
      rollback: () => Promise.reject(new Error('no Helm here')),
      reapply: () => Promise.reject(new Error('no Helm here')),
      alive: () => Promise.resolve(undefined),
      startedBy: () => Promise.resolve(undefined),
      interrupted: () => Promise.resolve(undefined),
      logFile: (release) => join(folder, `${release}.log`),
    },
    charts: createChartStore({ cacheDir: folder }, { helm: () => Promise.reject(new Error('no Helm here')), env: {} }),
    vault: createVaultClient({ connection: connections.vault, kubernetes, tunnel: vault, redactor }),
    isRunAlive: () => Promise.resolve(false),
    close: () => Promise.resolve(),
  };
  try {
    await work({
      clients,
      cluster,
      vault,
      folder,
      run: {
        environment: 'sandbox',
        imageTags: {},
        clusterUid: 'uid',
        workflowId: 'deploy/sandbox/uid',
        runId: 'run-1',
      },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** As a merge patch does it. */
function withoutNulls(values: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null));
}

function fakeKubernetes(): { kubernetes: KubernetesClient; cluster: FakeCluster } {
  const listeners = new Map<string, Set<() => void>>();
  const cluster: FakeCluster = {
    objects: new Map(),
    applied: [],
    removed: [],
    watched: new Map(),
    live: true,
    warnings: [],
    refused: undefined,
    lists: 0,
    notify: (namespace, release) => {
      for (const listener of listeners.get(`${namespace}/${release}`) ?? []) listener();
    },
  };
  const token = {
    metadata: { name: 'vault-token-reviewer-token', uid: '', resourceVersion: '1' },
    data: { token: Buffer.from('the-reviewer-token').toString('base64') },
  };
  cluster.objects.set('/api/v1/namespaces/vault-system/secrets/vault-token-reviewer-token', token);
  cluster.objects.set('/api/v1/namespaces/vault-system/configmaps/kube-root-ca.crt', {
    metadata: { name: 'kube-root-ca.crt', uid: '', resourceVersion: '1' },
    data: { 'ca.crt': 'PEM' },
  });
  const kubernetes: KubernetesClient = {
    server: 'https://fake',
    watches: {
      synced: () => Promise.resolve(),
      of: (kind: WatchedKind, namespace, release) =>
        [...cluster.watched]
          .filter(([key]) => key.startsWith(`${kind}/${namespace}/${release}/`))
          .map(([, object]) => object),
      releases: () => new Set(),
      live: () => cluster.live,
      refused: () => cluster.refused,
      warnings: (namespace) => cluster.warnings.filter(({ metadata }) => metadata.namespace === namespace),
      listen: (namespace, release, listener) => {
        const key = `${namespace}/${release}`;
        listeners.set(key, (listeners.get(key) ?? new Set()).add(listener));
        return () => listeners.get(key)?.delete(listener);
      },
      close: () => undefined,
    },
    clusterUid: () => Promise.resolve('uid'),
    identity: () => Promise.resolve({ uid: 'uid' }),
    assertCluster: () => Promise.resolve(),
    mayI: () => Promise.resolve(true),
    myRules: () => Promise.resolve({ rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }], complete: true }),
    mayAccount: () => Promise.resolve(true),
    serverTime: () => cluster.now?.() ?? Date.now(),
    version: () => Promise.resolve('v1.35.0'),
    kinds: () => Promise.resolve({ kinds: [], silent: [] }),
    get: (path) => Promise.resolve(cluster.objects.get(path)),
    list: async (path, { labelSelector } = {}) => {
      cluster.lists += 1;
      const selected = selectedBy(labelSelector);
      const items = [...cluster.objects]
        .filter(([key, { metadata }]) => collectionsOf(key).includes(path) && selected(metadata.labels ?? {}))
        .map(([, object]) => object);
      return { metadata: { resourceVersion: '1' }, items };
    },
    apply: async (path, object, { force = false } = {}) => {
      refuseApply(path, object, cluster.objects.get(path));
      const applied = object as Record<string, unknown> & {
        metadata: Record<string, unknown>;
        data?: Record<string, string>;
      };
      cluster.applied.push({ path, object: applied, force });
      const managedFields = [
        {
          manager: 'ananta-deploy',
          operation: 'Apply',
          fieldsV1: { 'f:data': Object.fromEntries(Object.keys(applied.data ?? {}).map((key) => [`f:${key}`, {}])) },
        },
      ];
      const kept = {
        ...applied,
        metadata: {
          ...applied.metadata,
          name: path.split('/').at(-1)!,
          uid: path,
          resourceVersion: nextVersion(cluster.objects.get(path)),
          managedFields,
        },
      } as unknown as KubernetesObject;
      cluster.objects.set(path, kept);
      return kept;
    },
    create: (path, object) => {
      const { metadata, ...rest } = object as KubernetesObject;
      const created = `${path}/${metadata.name}`;
      if (metadata.resourceVersion !== undefined)
        return Promise.reject(
          new KubernetesError(
            `POST ${path}`,
            400,
            'BadRequest',
            'resourceVersion should not be set on objects to be created',
          ),
        );
      if (cluster.objects.has(created))
        return Promise.reject(
          new KubernetesError(`POST ${path}`, 409, 'AlreadyExists', `"${metadata.name}" already exists`),
        );
      const kept: KubernetesObject = { ...rest, metadata: { ...metadata, uid: created, resourceVersion: '1' } };
      cluster.objects.set(created, kept);
      return Promise.resolve(kept);
    },
    replace: (path, object) => {
      const { metadata, ...rest } = object as KubernetesObject;
      const known = cluster.objects.get(path);
      if (known === undefined) return Promise.reject(notThere('PUT', path));
      if (known.metadata.resourceVersion !== metadata.resourceVersion)
        return Promise.reject(new KubernetesError(`PUT ${path}`, 409, 'Conflict', 'the object has been modified'));
      const kept: KubernetesObject = {
        ...rest,
        metadata: { ...metadata, uid: path, resourceVersion: String(Number(metadata.resourceVersion) + 1) },
      };
      cluster.objects.set(path, kept);
      return Promise.resolve(kept);
    },
    dryRun: async (path, object) => {
      refuseApply(path, object, cluster.objects.get(path));
      refuseChange(cluster.objects, path, mergedInto(cluster.objects.get(path), object));
      return object as KubernetesObject;
    },
    patch: async (path, operations) => {
      const known = cluster.objects.get(path);
      if (known === undefined) throw notThere('PATCH', path);
      const next = patched(path, known, operations);
      refuseChange(cluster.objects, path, next);
      next.metadata.resourceVersion = nextVersion(known);
      cluster.objects.set(path, next);
      return next;
    },
    label: (path, labels, _signal, { annotations = {}, uid } = {}) => {
      const known = cluster.objects.get(path);
      if (known === undefined) return Promise.reject(notThere('PATCH', path));
      if (uid !== undefined && known.metadata.uid !== uid)
        return Promise.reject(new KubernetesError(`PATCH ${path}`, 409, 'Conflict', 'uid mismatch'));
      known.metadata.labels = withoutNulls({ ...known.metadata.labels, ...labels });
      known.metadata.annotations = withoutNulls({ ...known.metadata.annotations, ...annotations });
      known.metadata.resourceVersion = nextVersion(known);
      return Promise.resolve();
    },
    remove: (path, { uid, resourceVersion, propagation } = {}) => {
      const { metadata } = cluster.objects.get(path) ?? {};
      const differs = (wanted: string | undefined, is: string | undefined): boolean =>
        metadata !== undefined && wanted !== undefined && is !== wanted;
      if (differs(uid, metadata?.uid) || differs(resourceVersion, metadata?.resourceVersion))
        return Promise.reject(new KubernetesError(`DELETE ${path}`, 409, 'Conflict', 'Precondition failed'));
      cluster.removed.push(path);
      if (propagation === 'Orphan' && metadata !== undefined) disown(cluster, metadata.uid);
      return Promise.resolve(cluster.objects.delete(path));
    },
    tokenFor: () => Promise.resolve({ token: 'a.deployer.token', expiresAt: Date.now() + 600_000 }),
    podLog: () => Promise.resolve(''),
    followPodLog: () => Readable.from([]),
    connect: () => Promise.reject(new Error('no pods here')),
    exec: () => Promise.resolve({ exitCode: 0, stdout: '', stderr: '' }),
    execStream: () => Promise.reject(new Error('no pods here')),
    certificateAuthority: () => Promise.resolve(undefined),
    close: () => undefined,
  };
  return { kubernetes, cluster };
}

const nextVersion = (known: KubernetesObject | undefined): string =>
  String(Number(known?.metadata.resourceVersion ?? 0) + 1);

function notThere(method: string, path: string): KubernetesError {
  return new KubernetesError(`${method} ${path}`, 404, 'NotFound', `"${path.split('/').at(-1)!}" not found`);
}

/** The lists that an object stands in: that of its namespace, where it is in one, and that of the cluster. */
function collectionsOf(path: string): string[] {
  const collection = path.slice(0, path.lastIndexOf('/'));
  return [collection, collection.replace(/\/namespaces\/[^/]+(?=\/)/, '')];
}

/** What a real API server says to an apply, dry or not, that it does not take. */
function refuseApply(path: string, object: unknown, known: KubernetesObject | undefined): void {
  const { apiVersion, kind, metadata } = object as Partial<Record<'apiVersion' | 'kind', string>> & {
    metadata?: { name?: string; namespace?: string; uid?: string; resourceVersion?: string; managedFields?: unknown };
  };
  const refuse = (status: number, reason: string, message: string): never => {
    throw new KubernetesError(`PATCH ${path}`, status, reason, message);
  };
  if (apiVersion === undefined || kind === undefined) refuse(400, 'BadRequest', 'apiVersion and kind have to be set');
  const name = path.split('/').at(-1)!;
  if (metadata?.name !== name)
    refuse(
      400,
      'BadRequest',
      `the name of the object (${metadata?.name ?? ''}) does not match the name on the URL (${name})`,
    );
  const namespace = /\/namespaces\/([^/]+)\/[^/]+\/[^/]+$/.exec(path)?.[1];
  if (metadata?.namespace !== undefined && metadata.namespace !== namespace)
    refuse(
      400,
      'BadRequest',
      `the namespace of the object (${metadata.namespace}) does not match the namespace on the request (${namespace ?? ''})`,
    );
  if (metadata?.managedFields !== undefined) refuse(400, 'BadRequest', 'metadata.managedFields must be nil');
  if (metadata?.uid !== undefined && metadata.uid !== known?.metadata.uid)
    refuse(409, 'Conflict', 'Precondition failed: UID in precondition differs');
  if (metadata?.resourceVersion !== undefined && metadata.resourceVersion !== known?.metadata.resourceVersion)
    refuse(409, 'Conflict', 'the object has been modified');
}
