/**
 * Taking over what somebody else has installed in the place of a service: shown, bound to what was shown, kept whole.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { adoptionOf } from '../../src/effects/adopt/adoption.ts';
import { createActivities } from '../../src/activities/index.ts';
import { adoptionPlan } from '../../src/effects/plan/adopt.ts';
import { planFor } from '../../src/effects/plan/deploy.ts';
import { adoptionLines } from '../../src/cli/adopt/adoption.ts';
import { requireName } from '../../src/cli/adopt/run.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { helmRecord, type RecordSample } from '../support/fakes/helm-record.ts';
import { testScope } from '../support/scope.ts';

const NAMESPACE = 'stores';
const RELEASE = 'cache';
const signal = new AbortController().signal;
const MANIFEST = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: theirs}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec: {volumeClaimTemplates: [{metadata: {name: data}}]}
`;

function put({ cluster }: FakeParts, more: Partial<RecordSample> = {}): string {
  const [path, secret] = helmRecord({
    namespace: NAMESPACE,
    release: RELEASE,
    revision: 1,
    chart: 'podinfo',
    manifest: MANIFEST,
    ...more,
  });
  cluster.objects.set(path, secret);
  for (const name of ['theirs', 'data-store-0', 'somebody-else'])
    cluster.objects.set(claimPath(name), { metadata: { name, namespace: NAMESPACE, uid: name, resourceVersion: '1' } });
  return path;
}
const claimPath = (name: string): string => `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims/${name}`;
const take = async ({ clients, run }: FakeParts, expectedDigest: string): Promise<string[]> => {
  const activities = createActivities(clients, () => testScope());
  const plan = await activities.planAdopt({ run, service: RELEASE, expectedDigest });
  return (await activities.adoptReleases({ run, service: RELEASE, requestedBy: 'ann@host', plan })).adopted;
};

describe('adopt', () => {
  test('shows chart, objects and claims; takes over, and leaves a plan that is an upgrade', () =>
    withFakeClients(async (parts) => {
      const { clients, cluster } = parts;
      const path = put(parts);
      const adoption = await adoptionOf(clients, RELEASE, signal);
      const lines = adoptionLines(RELEASE, adoption).join('\n');
      for (const part of [/podinfo\s1\.2\.3/, /StatefulSet store/, /data-store-0/, /theirs/]) assert.match(lines, part);
      assert.deepEqual(adoption.releases[0]?.claims, ['data-store-0', 'theirs']);

      assert.deepEqual(await take(parts, adoption.digest), [`${NAMESPACE}/${RELEASE}`]);
      assert.deepEqual([cluster.removed, cluster.applied], [[], []]);
      const { labels, annotations } = cluster.objects.get(path)?.metadata ?? {};
      assert.deepEqual(
        [
          labels?.['ananta-environment'],
          labels?.['ananta-service'],
          labels?.['ananta-adopted'],
          annotations?.['ananta.dev/adopted-by'],
        ],
        ['sandbox', RELEASE, '1', 'ann@host'],
      );
      const kept = ['theirs', 'data-store-0', 'somebody-else'].map(
        (name) => cluster.objects.get(claimPath(name))?.metadata.annotations?.['helm.sh/resource-policy'],
      );
      assert.deepEqual(kept, ['keep', 'keep', undefined]);
      const plan = await planFor(clients, clients.environment, {}, signal);
      assert.equal(plan.services.find(({ name }) => name === RELEASE)?.action, 'upgrade');
    }));

  test('its plan, every step of it, is bound to what was shown', () =>
    withFakeClients(async (parts) => {
      put(parts);
      const { digest } = await adoptionOf(parts.clients, RELEASE, signal);
      const planned = await adoptionPlan(parts.clients, RELEASE, signal);
      assert.equal(planned.digest, digest);
      assert.deepEqual(
        planned.plan.steps?.map(({ kind }) => kind),
        ['adopt', 'services', 'audit'],
      );
      await assert.rejects(adoptionPlan(parts.clients, 'nothing', signal), { name: 'PlanRefusedError' });
    }));

  test('once more after a lost acknowledgement: the same end', () =>
    withFakeClients(async (parts) => {
      put(parts);
      const { clients, run } = parts;
      const { digest } = await adoptionOf(clients, RELEASE, signal);
      const activities = createActivities(clients, () => testScope());
      const plan = await activities.planAdopt({ run, service: RELEASE, expectedDigest: digest });
      const again = { run, service: RELEASE, requestedBy: 'ann@host', plan };
      assert.deepEqual(await activities.adoptReleases(again), await activities.adoptReleases(again));
    }));

  test('something else than what was shown is refused, and left as it is', () =>
    withFakeClients(async (parts) => {
      const path = put(parts);
      const { digest } = await adoptionOf(parts.clients, RELEASE, signal);
      put(parts, { revision: 2 });
      await assert.rejects(take(parts, digest), { type: 'PlanOutdated' });
      assert.equal(parts.cluster.objects.get(path)?.metadata.labels?.['ananta-adopted'], undefined);
    }));

  for (const [what, more, refused] of [
    ['is being upgraded by its owner', { status: 'pending-upgrade' }, /is pending-upgrade/],
    [
      'would take its claims along',
      { manifest: MANIFEST.replace('spec: {', 'spec: {persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}, ') },
      /takes its claims along.*patch statefulset store/,
    ],
    ['cannot be read', { junk: 'x' }, /cannot be read/],
    [
      'another environment has deployed',
      { labels: { 'ananta-environment': 'prod', 'ananta-run': 'r', 'ananta-digest': 'd' } },
      /a deployment to environment "prod" made it.*rebind --env sandbox --take-over/,
    ],
    [
      'is ours',
      { labels: { 'ananta-environment': 'sandbox', 'ananta-run': 'r', 'ananta-digest': 'd' }, chart: 'redis' },
      /nothing of "cache" to take over/,
    ],
  ] as const)
    test(`one that ${what} is refused`, () =>
      withFakeClients(async (parts) => {
        put(parts, more);
        await assert.rejects(adoptionOf(parts.clients, RELEASE, signal), { message: refused });
      }));

  test('the name has to be typed, or given', () => {
    requireName('staging', 'dashboard', 'staging', false);
    requireName('staging', 'dashboard', undefined, true);
    assert.throws(() => requireName('staging', 'dashboard', undefined, false), /no terminal to ask on/);
    assert.throws(() => requireName('staging', 'dashboard', 'prod', true), /does not name the environment/);
  });
});
