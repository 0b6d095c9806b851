/**
 * Where publishers' charts take passwords from, and where they put those that they make up: so that what runs is
 * imported, and never generated. Pure; of each chart in the line of the catalog.
 */
import { mergeTrees, type Tree } from '../../environment/files/merge.ts';
import { at, valueOf } from './compare.ts';

/** One password of a release. */
interface Slot {
  /** Key of the catalog's path. */
  ours: string;
  /** Values that name a Secret of somebody's own, the first that says something counts. */
  existing: string[];
  /** Value that names the key in it. */
  keyAt?: string;
  /** Of the Secret that the chart makes by itself: its name, after that of its objects, and the key in it. */
  made: { suffix: string; key: string };
}

const EXISTING = 'auth.existingSecret';

const CHARTS: Record<string, readonly Slot[]> = {
  postgresql: [
    {
      ours: 'postgres-password',
      existing: ['global.postgresql.auth.existingSecret', EXISTING],
      keyAt: 'auth.secretKeys.adminPasswordKey',
      made: { suffix: '', key: 'postgres-password' },
    },
  ],
  redis: [
    {
      ours: 'redis-password',
      existing: ['global.redis.existingSecret', EXISTING],
      keyAt: 'auth.existingSecretPasswordKey',
      made: { suffix: '', key: 'redis-password' },
    },
  ],
  rabbitmq: [
    {
      ours: 'rabbitmq-password',
      existing: ['auth.existingPasswordSecret'],
      keyAt: 'auth.existingSecretPasswordKey',
      made: { suffix: '', key: 'rabbitmq-password' },
    },
    {
      ours: 'rabbitmq-erlang-cookie',
      existing: ['auth.existingErlangSecret'],
      keyAt: 'auth.existingSecretErlangKey',
      made: { suffix: '', key: 'rabbitmq-erlang-cookie' },
    },
  ],
  mongodb: ['mongodb-root-password', 'mongodb-passwords', 'mongodb-replica-set-key'].map((key) => ({
    ours: key,
    existing: [EXISTING],
    made: { suffix: '', key },
  })),
  keycloak: [
    {
      ours: 'admin-password',
      existing: [EXISTING],
      keyAt: 'auth.passwordSecretKey',
      made: { suffix: '', key: 'admin-password' },
    },
    {
      ours: 'password',
      existing: ['externalDatabase.existingSecret'],
      keyAt: 'externalDatabase.existingSecretPasswordKey',
      made: { suffix: '-externaldb', key: 'db-password' },
    },
  ],
  minio: ['rootUser', 'rootPassword'].map((key) => ({
    ours: key,
    existing: ['existingSecret'],
    made: { suffix: '', key },
  })),
};

/** A checksum of the Secret that they make stands at their pods: once they no longer make it, the pods are replaced. */
const CHECKSUMS: readonly string[] = ['redis', 'rabbitmq', 'keycloak', 'minio'];

export interface Credential {
  /** Key of the catalog's path. */
  ours: string;
  secret: string;
  key: string;
  /** The chart has made the Secret: it goes with the release, unless it is marked to stay. */
  made: boolean;
  /** Values that name it, so that the pods read it as before. */
  values: Tree;
  /** Pods are replaced once when the values name the Secret that the chart has made. */
  restarts: boolean;
}

/** @param chart name @param release name of the release */
export function credentialsOf(chart: string, release: string, values: Tree): Credential[] {
  return (CHARTS[chart] ?? []).map(({ ours, existing, keyAt, made }) => {
    const named = existing.map((path) => [path, valueOf(values, path)] as const).find(([, value]) => isName(value));
    const secret = isName(named?.[1]) ? named[1] : `${objectsName(chart, release, values)}${made.suffix}`;
    const keyNamed = keyAt === undefined ? undefined : valueOf(values, keyAt);
    const key = named !== undefined && isName(keyNamed) ? keyNamed : made.key;
    return {
      ours,
      secret,
      key,
      made: named === undefined,
      restarts: named === undefined && CHECKSUMS.includes(chart),
      values: [
        at((named?.[0] ?? existing.at(-1) ?? EXISTING).split('.'), secret),
        ...(keyAt === undefined ? [] : [at(keyAt.split('.'), key)]),
      ].reduce((all, one) => mergeTrees(all, one), {}),
    };
  });
}

/** As charts name their objects: Helm's own template for new charts, and Bitnami's. */
export function objectsName(chart: string, release: string, values: Tree): string {
  const full = valueOf(values, 'fullnameOverride');
  if (isName(full)) return full.slice(0, 63);
  const name = valueOf(values, 'nameOverride');
  const base = isName(name) ? name : chart;
  return (release.includes(base) ? release : `${release}-${base}`).slice(0, 63).replace(/-$/, '');
}

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';
