/**
 * Taking over what somebody else has installed in the place of a service, through a real engine and with Helm's records
 * in a cluster in memory.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { createActivities } from '../../src/activities/index.ts';
import { followDeployment, startOrAttach } from '../../src/clients/temporal/index.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { OperationResult } from '../../src/contract/operations/deploy.ts';
import { adoptionOf } from '../../src/effects/adopt/adoption.ts';
import { givingBackOf } from '../../src/effects/adopt/give-back.ts';
import { adoptionPlan } from '../../src/effects/plan/adopt.ts';
import { planFor } from '../../src/effects/plan/deploy.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { helmRecord, type RecordSample } from '../support/fakes/helm-record.ts';
import { fakeServer, QUEUE, restartApi, rotating, seed, valueOf } from '../support/rotation/sample.ts';
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
  services?: string[],
): Promise<OperationResult> {
  const input = {
    environment: 'sandbox',
    clusterUid: newClusterUid(),
    requestedBy: 'ann@host',
    ...(services ? { services } : { service: SERVICE }),
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
      assert.deepEqual([result.givenBack, back.givenBack], [undefined, true]);
      assert.match(back.notes?.join('\n') ?? '', /stores\/cache was given back by ann@host/);
      assert.deepEqual(cluster.objects.get(CLAIM)?.metadata.annotations, {});
      await assert.rejects(planFor(clients, clients.environment, {}, signal), { name: 'ForeignReleaseError' });

      const api = installedBySomebody(parts, { namespace: 'apps', release: 'api' });
      const { digest, adoptions } = await adoptionPlan(clients, 'all', signal);
      const services = adoptions.map((one) => one.service);
      const all = await adopt(parts, digest, undefined, undefined, services);
      assert.equal(all.outcome, 'succeeded', all.failure?.message);
      assert.match(all.notes?.join('\n') ?? '', /stores\/cache was taken over by[^]*apps\/api was taken over by/);
      assert.equal(cluster.objects.get(api)?.metadata.labels?.['ananta-adopted'], '1');
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

/** Everything that a history holds, payloads decoded. */
function textsIn(value: unknown): string[] {
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

describe('rotate', () => {
  const rotate = async (activities: Activities): Promise<{ result: OperationResult; history: string }> =>
    engine.withWorker(
      activities,
      async () => {
        const input = {
          environment: 'sandbox',
          clusterUid: newClusterUid(),
          requestedBy: 'ann@host',
          secrets: [{ path: QUEUE.path }],
        };
        const run = await startOrAttach(engine.client, 'rotate', input, 'refuse');
        const result = await followDeployment(engine.client, run, { onEvent: () => undefined });
        const history = await engine.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
        return { result, history: textsIn(history).join('\n') };
      },
      'sandbox',
    );
  /** With acts on the log, and a cluster that replaces pods. */
  const world = async (parts: FakeParts, healthy: () => boolean) => {
    rotating(parts);
    const real = createActivities(parts.clients, () => testScope());
    await seed(parts, real);
    const roles = fakeServer(parts);
    roles.set('apps', valueOf(parts, QUEUE) ?? '');
    const log: string[] = [];
    const activities: Activities = {
      ...real,
      rotateSecret: (input) => {
        log.push(input.act);
        return real.rotateSecret(input);
      },
      restartRelease: async (input) => {
        log.push(`restart ${input.step.name}`);
        const done = await real.restartRelease(input);
        restartApi(parts, '2099-01-01T00:00:00Z');
        return done;
      },
      collectEvidence: () => Promise.resolve({}),
      awaitHealthy: () => {
        if (healthy()) return Promise.resolve({ seconds: 0, proof: 'it answers' });
        throw ApplicationFailure.nonRetryable('api does not answer', 'NotHealthyInTime');
      },
    };
    return { activities, roles, log };
  };

  test('adds, writes, restarts, verifies, revokes; no value is in its history', () =>
    withFakeClients(async (parts) => {
      const { activities, roles, log } = await world(parts, () => true);
      const former = valueOf(parts, QUEUE) ?? '';
      const { result, history } = await rotate(activities);
      assert.equal(result.outcome, 'succeeded', result.failure?.message);
      assert.deepEqual(log, ['add', 'write', 'restart api', 'verify', 'revoke']);
      const value = valueOf(parts, QUEUE) ?? '';
      assert.deepEqual([...roles], [['apps_b', value]]);
      assert.equal(result.version, undefined);
      assert.ok(history.includes(QUEUE.path));
      for (const secret of [former, value]) assert.ok(!history.includes(secret));
    }));

  test('a reader that does not come up again keeps the former value good; the next rotation goes on with the same new one', () =>
    withFakeClients(async (parts) => {
      let healthy = false;
      const { activities, roles, log } = await world(parts, () => healthy);
      const former = valueOf(parts, QUEUE);
      const { result } = await rotate(activities);
      assert.equal(result.outcome, 'failed');
      assert.deepEqual(log, ['add', 'write', 'restart api']);
      const value = valueOf(parts, QUEUE);
      assert.deepEqual(Object.fromEntries(roles), { apps: former, apps_b: value });
      healthy = true;
      const { result: next } = await rotate(activities);
      assert.equal(next.outcome, 'succeeded', next.failure?.message);
      assert.match(next.notes?.join() ?? '', /stores\/queue password: a rotation that was interrupted goes on/);
      assert.deepEqual([...roles], [['apps_b', value]]);
    }));
});
