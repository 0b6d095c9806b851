/**
 * Helm's records in a fake cluster, kept as Helm keeps them: whoever upgrades, labels of the revision before are handed
 * on.
 */
import { randomUUID } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import type { FakeParts } from './clients.ts';

interface Stored {
  name: string;
  namespace: string;
  version: number;
  manifest: string;
  config: Record<string, unknown>;
  chart: unknown;
  info: { status: string; description: string };
}

export interface Change {
  labels?: Record<string, string>;
  config?: Record<string, unknown>;
  description?: string;
  status?: string;
}

export interface HelmStore {
  /** `helm upgrade --install`, by whoever calls it. @returns number of the new revision */
  upgrade: (change?: Change) => number;
  rollback: (to: number, change?: Pick<Change, 'description' | 'status'>) => number;
  /** Somebody changes what a record holds, with kubectl. */
  edit: (revision: number, change: (stored: Stored) => void) => void;
  secret: (revision: number) => KubernetesObject;
  stored: (revision: number) => Stored;
  revisions: () => number[];
  path: (revision: number) => string;
}

export function helmStore(
  { cluster }: Pick<FakeParts, 'cluster'>,
  release = { namespace: 'stores', name: 'cache' },
): HelmStore {
  const { namespace, name } = release;
  const path = (revision: number): string =>
    `/api/v1/namespaces/${namespace}/secrets/sh.helm.release.v1.${name}.v${revision}`;
  const revisions = (): number[] =>
    [...cluster.objects]
      .filter(([key]) => key.startsWith(path(0).slice(0, -1)))
      .map(([, { metadata }]) => Number(metadata.labels?.['version']))
      .sort((a, b) => a - b);
  const secret = (revision: number): KubernetesObject => {
    const found = cluster.objects.get(path(revision));
    if (!found) throw new Error(`Helm has no revision ${revision}`);
    return found;
  };
  const stored = (revision: number): Stored => {
    const { release: data } = secret(revision)['data'] as { release: string };
    const packed = Buffer.from(Buffer.from(data, 'base64').toString('latin1'), 'base64');
    return JSON.parse(gunzipSync(packed).toString('utf8')) as Stored;
  };
  const pack = (value: Stored): string =>
    Buffer.from(gzipSync(JSON.stringify(value)).toString('base64')).toString('base64');
  const write = (value: Stored, labels: Record<string, string>): void => {
    const at = path(value.version);
    const before = cluster.objects.get(at);
    cluster.objects.set(at, {
      metadata: {
        name: at.split('/').at(-1) ?? '',
        namespace,
        uid: before?.metadata.uid ?? randomUUID(),
        resourceVersion: '1',
        creationTimestamp: before?.metadata.creationTimestamp ?? new Date().toISOString(),
        labels: {
          ...labels,
          owner: 'helm',
          name,
          version: String(value.version),
          status: value.info.status,
          modifiedAt: String(Math.floor(Date.now() / 1000)),
        },
        managedFields: [
          {
            manager: 'Helm',
            operation: 'Update',
            time: new Date().toISOString(),
            fieldsV1: { 'f:data': { 'f:release': {} } },
          },
        ],
      },
      data: { release: pack(value) },
    });
  };
  const add = (value: Omit<Stored, 'name' | 'namespace' | 'version'>, labels: Record<string, string>): number => {
    const newest = revisions().at(-1);
    const done = value.info.status === 'deployed';
    if (newest !== undefined && done && secret(newest).metadata.labels?.['status'] === 'deployed') {
      const before = stored(newest);
      write({ ...before, info: { ...before.info, status: 'superseded' } }, secret(newest).metadata.labels ?? {});
    }
    const version = (newest ?? 0) + 1;
    write({ ...value, name, namespace, version }, labels);
    return version;
  };
  return {
    path,
    revisions,
    secret,
    stored,
    upgrade: ({ labels = {}, config, description = 'Upgrade complete', status = 'deployed' } = {}) => {
      const newest = revisions().at(-1);
      const before = newest === undefined ? undefined : stored(newest);
      const kept = { ...(newest === undefined ? {} : secret(newest).metadata.labels), ...labels };
      return add(
        {
          manifest: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n',
          chart: { metadata: { name: 'redis', version: '1.0.0' }, templates: [{ name: 'a', data: 'x' }] },
          config: config ?? before?.config ?? {},
          info: { status, description },
        },
        Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== 'null')),
      );
    },
    rollback: (to, { description = `Rollback to ${to}`, status = 'deployed' } = {}) => {
      const { manifest, chart, config } = stored(to);
      return add({ manifest, chart, config, info: { status, description } }, secret(to).metadata.labels ?? {});
    },
    edit: (revision, change) => {
      const value = stored(revision);
      change(value);
      write(value, secret(revision).metadata.labels ?? {});
      const { metadata } = secret(revision);
      metadata['managedFields'] = [
        {
          manager: 'kubectl-edit',
          operation: 'Update',
          time: '2026-01-01T00:00:00Z',
          fieldsV1: { 'f:data': { 'f:release': {} } },
        },
      ];
    },
  };
}

/** The clients' Helm writes into the store. @returns what it was asked for, in order */
export function withStore({ clients }: Pick<FakeParts, 'clients'>, store: HelmStore): string[] {
  const asked: string[] = [];
  clients.helm.upgrade = ({ labels, description }) => {
    asked.push('upgrade');
    const revision = store.upgrade({
      labels,
      config: { from: 'checkout' },
      ...(description === undefined ? {} : { description }),
    });
    return Promise.resolve({ revision, seconds: 0, queuedSeconds: 0 });
  };
  clients.helm.rollback = ({ revision, description }) => {
    asked.push(`rollback to ${revision}`);
    store.rollback(revision, description === undefined ? {} : { description });
    return Promise.resolve({ seconds: 0, queuedSeconds: 0 });
  };
  return asked;
}
