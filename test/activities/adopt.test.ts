/**
 * Adopting what somebody else has installed in the place of a service: the plan is shown, carried out only as shown,
 * and nothing of it is lost.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { adoptionOf } from '../../src/effects/adopt/adoption.ts';
import { createActivities } from '../../src/activities/index.ts';
import { adoptionPlan } from '../../src/effects/plan/adopt.ts';
import { planFor } from '../../src/effects/plan/deploy.ts';
import { adoptionLines, shownLines } from '../../src/cli/adopt/adoption.ts';
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
      const planned = await adoptionPlan(parts.clients, [RELEASE], signal);
      assert.equal(planned.digest, digest);
      assert.deepEqual(
        planned.plan.steps?.map(({ kind }) => kind),
        ['adopt', 'services', 'audit'],
      );
      await assert.rejects(adoptionPlan(parts.clients, ['nothing'], signal), { name: 'PlanRefusedError' });
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

  describe('of all at once', () => {
    const two = (parts: FakeParts): string[] => [
      put(parts, { manager: 'terraform-provider-helm' }),
      put(parts, { namespace: 'apps', release: 'api', manifest: '' }),
    ];
    const takeAll = async ({ clients, run }: FakeParts, undo?: true): Promise<string[]> => {
      const activities = createActivities(clients, () => testScope());
      const { digest: expectedDigest, adoptions } = await adoptionPlan(clients, 'all', signal, undo);
      const more = undo ? { undo } : {};
      const services = adoptions.map(({ service }) => service);
      const plan = await activities.planAdopt({ run, services, expectedDigest, ...more });
      const steps = plan.steps?.filter(({ kind }) => kind === 'adopt') ?? [];
      assert.deepEqual(
        steps.map(({ service }) => service),
        services,
      );
      const taken: string[] = [];
      for (const { service = '' } of steps) {
        const input = { run, service, requestedBy: 'ann@host', plan, ...more };
        // Each activity a second time, as after a lost acknowledgement.
        await activities.adoptReleases(input);
        taken.push(...(await activities.adoptReleases(input)).adopted);
      }
      return taken;
    };
    const marks = ({ cluster }: FakeParts, paths: readonly string[]): unknown[] =>
      paths.map((path) => cluster.objects.get(path)?.metadata.labels?.['ananta-adopted']);

    test('those that others depend on first, and back again, dependents first', () =>
      withFakeClients(async (parts) => {
        const paths = two(parts);
        assert.deepEqual(await takeAll(parts), ['stores/cache', 'apps/api']);
        assert.deepEqual(marks(parts, paths), ['1', '1']);
        const { labels } = parts.cluster.objects.get(paths[0] ?? '')?.metadata ?? {};
        assert.equal(labels?.['ananta-applier'], 'terraform-provider-helm');
        await assert.rejects(adoptionPlan(parts.clients, 'all', signal), /nothing to take over/);
        assert.deepEqual(await takeAll(parts, true), ['apps/api', 'stores/cache']);
        assert.deepEqual(marks(parts, paths), [undefined, undefined]);
        await assert.rejects(adoptionPlan(parts.clients, 'all', signal, true), /nothing to give back/);
        assert.deepEqual([parts.cluster.removed, parts.cluster.applied], [[], []]);
      }));

    test('one that cannot be taken over stands against all, and everything that does is named', () =>
      withFakeClients(async (parts) => {
        const paths = two(parts);
        put(parts, { status: 'pending-upgrade' });
        put(parts, { namespace: 'apps', release: 'api', status: 'pending-install' });
        await assert.rejects(adoptionPlan(parts.clients, 'all', signal), {
          name: 'PlanRefusedError',
          message: /Release cache .*is pending-upgrade[^]*\nRelease api .*is pending-install/,
        });
        assert.deepEqual(marks(parts, paths), [undefined, undefined]);
      }));

    test('what its owner has upgraded since it was shown is refused, and so is another number of services', () =>
      withFakeClients(async (parts) => {
        two(parts);
        const { clients, run } = parts;
        const { digest: expectedDigest } = await adoptionPlan(clients, 'all', signal);
        const activities = createActivities(clients, () => testScope());
        const services = ['cache', 'api'];
        await assert.rejects(activities.planAdopt({ run, services: ['cache'], expectedDigest }), {
          type: 'PlanOutdated',
        });
        const plan = await activities.planAdopt({ run, services, expectedDigest });
        await activities.adoptReleases({ run, service: 'cache', requestedBy: 'ann@host', plan });
        put(parts, { namespace: 'apps', release: 'api', revision: 2, manifest: '' });
        await assert.rejects(activities.adoptReleases({ run, service: 'api', requestedBy: 'ann@host', plan }), {
          type: 'PlanOutdated',
        });
        // The next attempt does what is left.
        assert.deepEqual(await takeAll(parts), ['apps/api']);
      }));

    test('who applies it by itself has to stop before', () =>
      withFakeClients(async (parts) => {
        const paths = two(parts);
        parts.cluster.objects.set('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/applications.argoproj.io', {
          metadata: { name: 'applications.argoproj.io', uid: 'c', resourceVersion: '1' },
        });
        const application = (automated?: object): void => {
          parts.cluster.objects.set('/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/cache', {
            metadata: { name: 'cache', namespace: 'argocd', uid: 'a', resourceVersion: '1' },
            spec: { source: { chart: 'redis' }, destination: { namespace: NAMESPACE }, syncPolicy: { automated } },
          });
        };
        application({});
        await assert.rejects(adoptionPlan(parts.clients, 'all', signal), {
          name: 'PlanRefusedError',
          message:
            /Application argocd\/cache applies release stores\/cache:\n {2}argocd app set argocd\/cache --sync-policy none$/,
        });
        assert.deepEqual(marks(parts, paths), [undefined, undefined]);
        application();
        assert.deepEqual(await takeAll(parts), ['stores/cache', 'apps/api']);
      }));

    test('says once what it means', () =>
      withFakeClients(async (parts) => {
        two(parts);
        const { adoptions } = await adoptionPlan(parts.clients, 'all', signal);
        const lines = shownLines(adoptions).join('\n');
        assert.match(lines, /In the place of cache:[^]*In the place of api:/);
        assert.equal(lines.match(/nothing else is changed now/g)?.length, 1);
      }));
  });

  test('the name has to be typed, or given', () => {
    requireName('staging', 'dashboard', 'staging', false);
    requireName('staging', 'dashboard', undefined, true);
    assert.throws(() => requireName('staging', 'dashboard', undefined, false), /no terminal to ask on/);
    assert.throws(() => requireName('staging', 'dashboard', 'prod', true), /does not name the environment/);
  });
});
