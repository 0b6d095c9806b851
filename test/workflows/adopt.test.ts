/**
 * Taking over what somebody else has installed in the place of a service, through a real engine and with Helm's records
 * in a cluster in memory.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createActivities } from '../../src/activities/index.ts';
import { followDeployment, startOrAttach } from '../../src/clients/temporal/index.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { OperationResult } from '../../src/contract/operations/deploy.ts';
import { adoptionOf } from '../../src/effects/adopt/adoption.ts';
import { givingBackOf } from '../../src/effects/adopt/give-back.ts';
import { planFor } from '../../src/effects/plan/deploy.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { helmRecord, type RecordSample } from '../support/fakes/helm-record.ts';
import { testScope } from '../support/scope.ts';

const [NAMESPACE, SERVICE] = ['stores', 'cache'];
const CLAIM = `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims/theirs`;
const MANIFEST = 'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: theirs}\n';
const signal = new AbortController().signal;

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(async () => {
  await engine.close();
});

/** @returns path of the record */
function installedBySomebody({ cluster }: FakeParts, more: Partial<RecordSample> = {}): string {
  const of = { namespace: NAMESPACE, release: SERVICE, revision: 1, chart: 'podinfo', manifest: MANIFEST };
  const [path, secret] = helmRecord({ ...of, ...more });
  cluster.objects.set(path, secret);
  cluster.objects.set(CLAIM, {
    metadata: { name: 'theirs', namespace: NAMESPACE, uid: 'theirs', resourceVersion: '1' },
  });
  return path;
}

async function adopt(
  parts: FakeParts,
  expectedDigest: string,
  activities?: Activities,
  undo?: true,
): Promise<OperationResult> {
  const input = {
    environment: 'sandbox',
    clusterUid: newClusterUid(),
    requestedBy: 'ann@host',
    service: SERVICE,
    expectedDigest,
    ...(undo ? { undo } : {}),
  };
  const run = await engine.withWorker(
    activities ?? createActivities(parts.clients, () => testScope()),
    async () => {
      const started = await startOrAttach(engine.client, 'adopt', input, 'refuse');
      return followDeployment(engine.client, started, { onEvent: () => undefined });
    },
    'sandbox',
  );
  assert.deepEqual(
    [parts.cluster.removed, parts.cluster.applied.filter(({ path }) => !path.includes('ananta-system'))],
    [[], []],
  );
  return run;
}

describe('adopt', () => {
  test('the record is marked and its claim is kept, once, also after a lost acknowledgement; a deployment upgrades it, and it is given back', () =>
    withFakeClients(async (parts) => {
      const { clients, cluster } = parts;
      const path = installedBySomebody(parts);
      await assert.rejects(planFor(clients, clients.environment, {}, signal), { name: 'ForeignReleaseError' });
      const activities = createActivities(clients, () => testScope());
      let attempts = 0;
      const losing: Activities = {
        ...activities,
        adoptReleases: async (input) => {
          const done = await activities.adoptReleases(input);
          attempts += 1;
          if (attempts === 1) throw new Error('its worker was killed before it could tell');
          return done;
        },
      };
      const result = await adopt(parts, (await adoptionOf(clients, SERVICE, signal)).digest, losing);
      assert.equal(result.outcome, 'succeeded', result.failure?.message);
      assert.equal(attempts, 2);
      const { labels, annotations } = cluster.objects.get(path)!.metadata;
      assert.deepEqual(
        [labels?.['ananta-environment'], labels?.['ananta-adopted'], annotations?.['ananta.dev/adopted-by']],
        ['sandbox', '1', 'ann@host'],
      );
      assert.equal(cluster.objects.get(CLAIM)?.metadata.annotations?.['helm.sh/resource-policy'], 'keep');
      const plan = await planFor(clients, clients.environment, {}, signal);
      assert.equal(plan.services.find(({ name }) => name === SERVICE)?.action, 'upgrade');
      const back = await adopt(parts, (await givingBackOf(clients, SERVICE, signal)).digest, undefined, true);
      assert.equal(back.outcome, 'succeeded', back.failure?.message);
      assert.match(back.notes?.join('\n') ?? '', /stores\/cache was given back by ann@host/);
      assert.deepEqual(cluster.objects.get(CLAIM)?.metadata.annotations, {});
      await assert.rejects(planFor(clients, clients.environment, {}, signal), { name: 'ForeignReleaseError' });
    }));

  for (const [what, change, refused] of [
    [
      'its owner has upgraded it since it was shown',
      (parts: FakeParts) => installedBySomebody(parts, { revision: 2 }),
      /adopt that was shown is .*changed since/,
    ],
    [
      'another environment has deployed over it since',
      (parts: FakeParts) =>
        installedBySomebody(parts, { revision: 2, labels: { 'ananta-environment': 'prod', 'ananta-run': 'r' } }),
      /a deployment to environment "prod" made it/,
    ],
  ] as const)
    test(`${what}: refused, nothing is marked`, () =>
      withFakeClients(async (parts) => {
        const { cluster, clients } = parts;
        installedBySomebody(parts);
        const { digest } = await adoptionOf(clients, SERVICE, signal);
        const path = change(parts);
        const result = await adopt(parts, digest);
        assert.equal(result.outcome, 'failed');
        assert.match(result.failure?.message ?? '', refused);
        assert.equal(cluster.objects.get(path)?.metadata.labels?.['ananta-adopted'], undefined);
        assert.equal(cluster.objects.get(CLAIM)?.metadata.annotations, undefined);
      }));
});
