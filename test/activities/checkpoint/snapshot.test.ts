/** Checkpoints that are snapshots of volumes: made, waited for, pruned, made claims of; those of others stay. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { claimsFromSnapshots, verifySnapshots } from '../../../src/cli/checkpoint/snapshots.ts';
import { KubernetesError, type KubernetesObject, paths } from '../../../src/clients/kubernetes/index.ts';
import { OWNER_LABEL } from '../../../src/contract/names.ts';
import { readCheckpoints } from '../../../src/effects/checkpoint/record.ts';
import { takeSnapshots } from '../../../src/effects/checkpoint/snapshot.ts';
import { type CheckpointDone, makeCheckpoint } from '../../../src/effects/checkpoint/take.ts';
import { commandScope } from '../../../src/effects/effect.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { putServerPod } from './server-pod.ts';

const signal = new AbortController().signal;
const scope = commandScope(signal);
const SNAPSHOTS = paths.volumeSnapshots('ns');

type Status = { readyToUse?: boolean; restoreSize?: string; error?: { message: string } };

/** A server with two claims, and a snapshot controller that answers the n-th look. */
async function withClaims(
  work: (parts: FakeParts, settle: (status: Status, after?: number) => void) => Promise<void>,
): Promise<void> {
  await withFakeClients(async (parts) => {
    const { clients, cluster } = parts;
    const { kubernetes } = clients;
    putServerPod(parts, [
      { name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } },
      { name: 'wal', persistentVolumeClaim: { claimName: 'wal-db-0' } },
      { name: 'tmp', emptyDir: {} },
    ]);
    for (const name of ['data-db-0', 'wal-db-0'])
      cluster.objects.set(`${paths.persistentVolumeClaims('ns')}/${name}`, {
        metadata: { name, namespace: 'ns', uid: name, resourceVersion: '1' },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'fast',
          resources: { requests: { storage: '1Gi' } },
        },
      });
    const looks = new Map<string, number>();
    const settle = (status: Status, after = 0): void => {
      const { get } = kubernetes;
      kubernetes.get = async (path, ...more) => {
        const found = await get(path, ...more);
        if (!path.startsWith(`${SNAPSHOTS}/`) || found === undefined) return found;
        looks.set(path, (looks.get(path) ?? 0) + 1);
        if (looks.get(path)! > after) found['status'] = status;
        return found;
      };
    };
    const one = clients.catalog.services[0]!;
    Object.assign(clients, {
      catalog: {
        ...clients.catalog,
        services: [{ ...one, name: 'db', namespace: 'ns', ports: [] }],
        databases: [{ server: 'db', name: 'main', owner: 'owner', password: { path: 'p', key: 'k' } }],
        migrations: [
          { service: 'schema', database: 'db/main', location: 'm', checkpoint: { kind: 'volume-snapshot' } },
        ],
      },
      environment: { ...clients.environment, checkpoints: { snapshotClass: 'csi-fast', keep: 1 } },
    });
    await work(parts, settle);
  });
}

const take = ({ clients }: FakeParts, run: string): Promise<CheckpointDone> =>
  makeCheckpoint(clients, { database: 'db/main', before: ['V2__drop.sql'], run, by: 'a@b' }, scope);
const snapshots = ({ cluster }: FakeParts): string[] =>
  [...cluster.objects.keys()].filter((path) => path.startsWith(`${SNAPSHOTS}/`)).sort();

describe('a snapshot of volumes', () => {
  test('of each claim of the server, ready before the migration; without a folder or a key; the older one goes', async () => {
    await withClaims(async (parts, settle) => {
      settle({ readyToUse: true, restoreSize: '2Gi' });
      const first = await take(parts, '1');
      assert.deepEqual(
        first.snapshots?.map(({ claim, size }) => [claim, size]),
        [
          ['data-db-0', '2Gi'],
          ['wal-db-0', '2Gi'],
        ],
      );
      const [path] = snapshots(parts);
      const { spec, metadata } = parts.cluster.objects.get(path!)! as KubernetesObject & { spec: unknown };
      assert.deepEqual(spec, {
        source: { persistentVolumeClaimName: 'data-db-0' },
        volumeSnapshotClassName: 'csi-fast',
      });
      assert.equal(metadata.labels?.[OWNER_LABEL], 'sandbox');
      assert.deepEqual((await take(parts, '1')).snapshots, first.snapshots, 'once a run');
      const second = await take(parts, '2');
      assert.equal((await readCheckpoints(parts.clients.kubernetes, 'sandbox')).length, 1);
      assert.deepEqual(
        snapshots(parts),
        second.snapshots!.map(({ name }) => `${SNAPSHOTS}/${name}`),
      );
    });
  });

  test('begun again after a kill it goes on with what is there; one of somebody else is never taken for it', async () => {
    await withClaims(async (parts, settle) => {
      const { create } = parts.clients.kubernetes;
      let made = 0;
      parts.clients.kubernetes.create = (path, ...more) =>
        path === SNAPSHOTS && (made += 1) > 1 ? Promise.reject(new Error('killed')) : create(path, ...more);
      await assert.rejects(take(parts, '1'), /killed/);
      const [begun] = snapshots(parts);
      const { uid } = parts.cluster.objects.get(begun!)!.metadata;
      parts.clients.kubernetes.create = create;
      settle({ readyToUse: true });
      assert.equal((await take(parts, '1')).snapshots?.[0]?.uid, uid);
      // No snapshot is ready at first.
      settle({ error: { message: 'the driver is busy' } }, 1);
      settle({ readyToUse: true }, 3);
      const waited = await takeSnapshots(
        parts.clients,
        { checkpoint: 'waits', server: 'db', className: undefined },
        scope,
        1,
      );
      assert.equal(waited.length, 2);
      parts.cluster.objects.set(`${SNAPSHOTS}/x-data-db-0`, {
        metadata: { name: 'x-data-db-0', namespace: 'ns', uid: 'theirs', resourceVersion: '1' },
      });
      await assert.rejects(
        takeSnapshots(parts.clients, { checkpoint: 'x', server: 'db', className: undefined }, scope, 1),
        { type: 'NotOurs' },
      );
    });
  });

  test('begun again while another pod of the server is gone: no snapshot is taken for one of another claim', async () => {
    await withClaims(async (parts, settle) => {
      const { create } = parts.clients.kubernetes;
      let made = 0;
      parts.clients.kubernetes.create = (path, ...more) =>
        path === SNAPSHOTS && (made += 1) > 1 ? Promise.reject(new Error('killed')) : create(path, ...more);
      await assert.rejects(take(parts, '1'), /killed/);
      parts.clients.kubernetes.create = create;
      const { volumes } = parts.cluster.objects.get('/api/v1/namespaces/ns/pods/db-0')!['spec'] as {
        volumes: unknown[];
      };
      volumes.shift();
      settle({ readyToUse: true });
      const taken = (await take(parts, '1')).snapshots!;
      assert.deepEqual(
        taken.map(({ name, claim }) => {
          const { spec } = parts.cluster.objects.get(`${SNAPSHOTS}/${name}`) as unknown as { spec: { source: object } };
          return [claim, spec.source];
        }),
        [['wal-db-0', { persistentVolumeClaimName: 'wal-db-0' }]],
      );
    });
  });

  test('pruned by uid: what has its name by now, and is another one, stays', async () => {
    await withClaims(async (parts, settle) => {
      settle({ readyToUse: true });
      const first = await take(parts, '1');
      const path = `${SNAPSHOTS}/${first.snapshots![0]!.name}`;
      parts.cluster.objects.set(path, {
        metadata: { ...parts.cluster.objects.get(path)!.metadata, uid: 'theirs' },
      });
      await take(parts, '2');
      assert.equal(parts.cluster.objects.get(path)?.metadata.uid, 'theirs');
    });
  });

  test('in a cluster without the kind it is refused in words; deleted on the way it fails', async () => {
    await withClaims(async (parts) => {
      const { kubernetes } = parts.clients;
      const { create } = kubernetes;
      kubernetes.create = (path, ...more) =>
        path === SNAPSHOTS
          ? Promise.reject(
              new KubernetesError(`POST ${path}`, 404, 'NotFound', 'the server could not find the resource'),
            )
          : create(path, ...more);
      await assert.rejects(take(parts, '1'), { type: 'InvalidInput', message: /knows no VolumeSnapshot/ });
      kubernetes.create = create;
      const { get } = kubernetes;
      kubernetes.get = (path, ...more) =>
        path.startsWith(`${SNAPSHOTS}/`) ? Promise.resolve(undefined) : get(path, ...more);
      await assert.rejects(take(parts, '2'), /was deleted by somebody before it was ready/);
      assert.deepEqual(await readCheckpoints(kubernetes, 'sandbox'), [], 'no record of what is not there');
    });
  });

  test('verified: there and ready; restored: claims beside the live ones, on record', async () => {
    await withClaims(async (parts, settle) => {
      settle({ readyToUse: true, restoreSize: '2Gi' });
      await take(parts, '1');
      const [record] = await readCheckpoints(parts.clients.kubernetes, 'sandbox');
      const said: string[] = [];
      const context = {
        terminal: {
          stdout: { write: (text: string) => said.push(text) },
          style: (_style: string, text: string) => text,
        } as never,
      };
      await verifySnapshots(context, parts.clients, record!, undefined, signal);
      assert.match(said.join(''), /VolumeSnapshots ns\/.*: there and ready/);
      await claimsFromSnapshots(context, parts.clients, record!, undefined, signal);
      await claimsFromSnapshots(context, parts.clients, record!, undefined, signal);
      const claims = [...parts.cluster.objects].filter(([path]) => path.includes('-restored-'));
      assert.deepEqual(
        claims.map(([, object]) => (object as unknown as { spec: Record<string, unknown> }).spec),
        record!.snapshots!.map(({ name }) => ({
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'fast',
          resources: { requests: { storage: '2Gi' } },
          dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name },
        })),
      );
      parts.cluster.objects.delete(`${paths.persistentVolumeClaims('ns')}/data-db-0`);
      await assert.rejects(claimsFromSnapshots(context, parts.clients, record!, undefined, signal), {
        type: 'InvalidInput',
        message: /Claim ns\/data-db-0 is gone.* make a claim with that name by hand.* dataSource, of 2Gi or more/,
      });
      const { name } = record!.snapshots![1]!;
      parts.cluster.objects.delete(`${SNAPSHOTS}/${name}`);
      await assert.rejects(
        verifySnapshots(context, parts.clients, record!, undefined, signal),
        new RegExp(`Not there any more, or not ready: VolumeSnapshot ns/${name}`),
      );
    });
  });
});
