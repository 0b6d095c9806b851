/** The audit trail outlives the worker's pod: it is kept in the cluster, once per run, and bounded. */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { onRecord } from '../../src/effects/records/on-record.ts';
import { keepAuditRecord, readAuditRecords } from '../../src/effects/records/audit.ts';
import { createActivities } from '../../src/activities/index.ts';
import { auditLines } from '../../src/cli/look/audit.ts';
import { ClusterMismatchError, KubernetesError } from '../../src/clients/kubernetes/index.ts';
import type { AuditRecord } from '../../src/contract/audit.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { OWNER_PATH, ownerRecord } from '../support/owner.ts';
import { testScope } from '../support/scope.ts';

const result = {
  operation: 'deploy' as const,
  requestedBy: 'anna@build',
  planDigest: 'abc',
  outcome: 'succeeded',
  seconds: 61,
};
const record = (number: number): AuditRecord => ({
  ...result,
  at: new Date(Date.UTC(2026, 0, 1, 0, 0, number)).toISOString(),
  environment: 'sandbox',
  cluster: 'uid',
  imageTags: {},
  workflowId: 'deploy/sandbox/uid',
  runId: `run-${number}`,
});
const records = ({ clients }: FakeParts): Promise<AuditRecord[]> => readAuditRecords(clients.kubernetes, 'sandbox');
const kept = ({ cluster }: FakeParts): string[] =>
  [...cluster.objects.keys()].filter((path) => path.includes('/audit-'));

describe('the audit trail', () => {
  test('is in the cluster and on the disk, once per run; without the disk it is still in the cluster', async () => {
    await withFakeClients(async (parts) => {
      const { recordResult } = createActivities(parts.clients, () => testScope());
      await recordResult({ run: parts.run, ...result });
      await recordResult({ run: parts.run, ...result });
      const line = JSON.parse(await readFile(join(parts.folder, 'audit.jsonl'), 'utf8')) as AuditRecord;
      await rm(join(parts.folder, 'audit.jsonl'));
      const found = await records(parts);
      assert.deepEqual(found, [line]);
      assert.match(
        auditLines('sandbox', found, 1, 200).join('\n'),
        /anna@build +deploy +succeeded +1 min 1 s|anna@build/,
      );
      const [path] = kept(parts);
      assert.equal((parts.cluster.objects.get(path!) as unknown as { immutable: boolean }).immutable, true);
    });
  });

  test('has restorations, which are no operations, with their end', async () => {
    await withFakeClients(async (parts) => {
      const work = { environment: 'sandbox', clusterUid: 'uid', operation: 'restore', digest: 'abc' } as const;
      assert.equal(await onRecord(parts.clients, work, () => Promise.resolve('done')), 'done');
      await assert.rejects(
        onRecord(parts.clients, { ...work, operation: 'checkpoint restore' }, () => Promise.reject(new Error('no'))),
        /no/,
      );
      const found = (await records(parts)).map(({ operation, outcome, requestedBy }) => [
        operation,
        outcome,
        requestedBy,
      ]);
      const { requestedBy } = parts.clients.config;
      assert.deepEqual(found.sort(), [
        ['checkpoint restore', 'failed', requestedBy],
        ['restore', 'succeeded', requestedBy],
      ]);
      // On a cluster that cannot be asked it is done all the same.
      parts.clients.kubernetes.assertCluster = () => Promise.reject(new ClusterMismatchError('another one'));
      await onRecord(parts.clients, work, () => Promise.resolve());
      assert.equal((await records(parts)).length, 2);
    });
  });

  test('keeps the newest', async () => {
    await withFakeClients(async (parts) => {
      for (let number = 1; number <= 5; number += 1)
        await keepAuditRecord(parts.clients.kubernetes, record(number), { kept: 3 });
      assert.deepEqual(
        (await records(parts)).map(({ runId }) => runId),
        ['run-5', 'run-4', 'run-3'],
      );
    });
  });

  test('an identity that may delete nothing leaves the old ones', async () => {
    await withFakeClients(async (parts) => {
      parts.clients.kubernetes.remove = () =>
        Promise.reject(new KubernetesError('DELETE', 403, 'Forbidden', 'configmaps is forbidden'));
      for (let number = 1; number <= 3; number += 1)
        await keepAuditRecord(parts.clients.kubernetes, record(number), { kept: 1 });
      assert.equal((await records(parts)).length, 3);
    });
  });

  test('is not left on a cluster that was given back, nor on one of another environment', async () => {
    await withFakeClients(async (parts) => {
      parts.cluster.objects.delete(OWNER_PATH);
      await keepAuditRecord(parts.clients.kubernetes, { ...record(1), operation: 'destroy' });
      await keepAuditRecord(parts.clients.kubernetes, record(2));
      parts.cluster.objects.set(...ownerRecord({ environment: 'other' }));
      await keepAuditRecord(parts.clients.kubernetes, record(3));
      assert.deepEqual([kept(parts), parts.cluster.applied, parts.cluster.removed], [[], [], []]);
    });
  });

  test('is not written into another cluster, nor does a missing right end the operation', async () => {
    await withFakeClients(async (parts) => {
      const { recordResult } = createActivities(parts.clients, () => testScope());
      parts.clients.kubernetes.assertCluster = () => Promise.reject(new ClusterMismatchError('another one'));
      await recordResult({ run: parts.run, ...result });
      assert.deepEqual(kept(parts), []);
      parts.clients.kubernetes.assertCluster = () => Promise.resolve();
      parts.clients.kubernetes.create = () =>
        Promise.reject(new KubernetesError('POST', 403, 'Forbidden', 'configmaps is forbidden'));
      await recordResult({ run: { ...parts.run, runId: 'run-2' }, ...result });
      assert.equal((await readFile(join(parts.folder, 'audit.jsonl'), 'utf8')).trim().split('\n').length, 2);
    });
  });

  test('what is damaged or of another environment is left out', async () => {
    await withFakeClients(async (parts) => {
      await keepAuditRecord(parts.clients.kubernetes, record(1));
      await keepAuditRecord(parts.clients.kubernetes, { ...record(2), environment: 'other' });
      await keepAuditRecord(parts.clients.kubernetes, record(3));
      Object.assign(parts.cluster.objects.get(kept(parts)[0]!)!, { data: { record: '{"at":' } });
      assert.deepEqual(
        (await records(parts)).map(({ runId }) => runId),
        ['run-3'],
      );
    });
  });
});
