/** The small platform of the fakes, with a password that can be rotated and a reader of it. */
import assert from 'node:assert/strict';
import type { Activities } from '../../../src/contract/activities.ts';
import type { RotationSystem } from '../../../src/catalog/schema.ts';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import type { SecretName } from '../../../src/contract/operations/secret-name.ts';
import type { FakeParts } from '../fakes/clients.ts';
import { helmRecord } from '../fakes/helm-record.ts';

/** Kept by `cache`, read by `api`. */
export const QUEUE: SecretName = { path: 'stores/queue', key: 'password' };
export const API_POD = '/api/v1/namespaces/apps/pods/api-1';

export function rotating(
  { clients, cluster }: FakeParts,
  rotation: RotationSystem = {
    system: 'postgresql',
    server: 'cache',
    database: 'apps',
    username: 'username',
    admin: { path: 'stores/cache', key: 'redis-password' },
  },
): void {
  const path = clients.catalog.secretPaths.find((candidate) => candidate.path === QUEUE.path);
  const key = path?.keys.find(({ name }) => name === QUEUE.key);
  if (key?.kind !== 'generated') throw new Error('The small catalog has lost its queue.');
  key.rotation = rotation;
  put(cluster, pod('stores', 'cache', 'cache-0', '2020-01-01T00:00:00Z'));
  put(cluster, pod('apps', 'api', 'api-1', '2020-01-01T00:00:00Z'));
  cluster.objects.set(
    ...helmRecord({ namespace: 'apps', release: 'api', revision: 1, labels: { 'ananta-environment': 'sandbox' } }),
  );
}

export async function seed({ run }: FakeParts, activities: Activities): Promise<void> {
  await activities.openVault(run);
  await activities.configureVault(run);
  await activities.seedVault(run);
  await activities.syncSecrets(run);
}

/** As an operator does it. */
export function setTo({ vault }: FakeParts, { path, key }: SecretName, value: string): void {
  const entry = vault.kv.get(path);
  const data = entry?.versions.at(-1)?.data;
  entry?.versions.push({ data: { ...data, [key]: value }, created_time: new Date().toISOString(), deletion_time: '' });
}

export function valueOf({ vault }: FakeParts, { path, key }: SecretName): string | undefined {
  return vault.kv.get(path)?.versions.at(-1)?.data?.[key];
}

/** A pod that has started at this time, in the place of the one before. */
export function restartApi({ cluster }: FakeParts, at: string): void {
  put(cluster, pod('apps', 'api', 'api-1', at));
}

function put(cluster: FakeParts['cluster'], object: KubernetesObject): void {
  const { namespace = '', name } = object.metadata;
  cluster.objects.set(`/api/v1/namespaces/${namespace}/pods/${name}`, object);
}

function pod(namespace: string, release: string, name: string, creationTimestamp: string): KubernetesObject {
  return {
    metadata: {
      name,
      namespace,
      uid: `${name}-${creationTimestamp}`,
      resourceVersion: '1',
      creationTimestamp,
      labels: { 'app.kubernetes.io/instance': release },
    },
    spec: { nodeName: 'node-1', containers: [{ name: release }] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

/** What a server does with the scripts that it is given: roles and their passwords. */
export function fakeServer({ clients }: FakeParts): Map<string, string> {
  const roles = new Map<string, string>();
  clients.kubernetes.exec = (
    _pod,
    _container,
    [, , script = '', , declared = '', former = '', next = '', , admin = ''],
    _s,
    input = '',
  ) => {
    const [adminValue, formerValue, nextValue = ''] = input.split('\n');
    const end = (exitCode: number) => Promise.resolve({ exitCode, stdout: '', stderr: '' });
    assert.equal(declared, 'apps');
    // One of the two that take turns: the superuser changes it by itself.
    if (admin !== 'postgres' && roles.get(admin) !== adminValue) return end(1);
    if (script.includes('CREATE ROLE')) roles.set(next, nextValue);
    if (roles.get(next) !== nextValue) return end(41);
    if (script.includes('PASSWORD NULL')) {
      if (former !== next) roles.delete(former);
      if (roles.get(former) === formerValue) return end(42);
    }
    return end(0);
  };
  return roles;
}
