/** A release of our name that somebody else has made: refused by plans and by every step, and left as it is. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findObjectDrift } from '../../../src/effects/drift/objects.ts';
import { planFor } from '../../../src/effects/plan/deploy.ts';
import { observeCluster } from '../../../src/effects/observe/cluster.ts';
import { destroyPlanOf } from '../../../src/effects/plan/destroy.ts';
import { forgetOwner } from '../../../src/effects/owner/claim.ts';
import type { ApplyReleaseInput } from '../../../src/contract/activities.ts';
import type { PlannedStep } from '../../../src/contract/operations/plan.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { helmRecord, ourLabels, type RecordSample } from '../../support/fakes/helm-record.ts';
import { ownerRecord } from '../../support/owner.ts';
import { testScope } from '../../support/scope.ts';
import { unguardedActivities } from '../../../src/activities/index.ts';

const NAMESPACE = 'stores';
const RELEASE = 'cache';
const DIGEST = '0123456789abcdef';
const signal = new AbortController().signal;

function put({ cluster }: FakeParts, more: Partial<RecordSample> & { revision: number }): void {
  cluster.objects.set(...helmRecord({ namespace: NAMESPACE, release: RELEASE, chart: 'redis', ...more }));
}
const foreign = (parts: FakeParts): void => {
  put(parts, { revision: 1, chart: 'podinfo', labels: { team: 'web' } });
};
const REFUSED = {
  name: 'ForeignReleaseError',
  message: /cache in stores is not ours.*podinfo 1\.2\.3.*team=web/,
};

const step = (over: Partial<PlannedStep> = {}): PlannedStep => ({
  kind: 'release',
  name: RELEASE,
  namespace: NAMESPACE,
  job: false,
  action: 'repair',
  reason: '',
  digest: DIGEST,
  ...over,
});
const input = ({ run }: FakeParts, over: Partial<PlannedStep> = {}): ApplyReleaseInput => ({
  run,
  service: RELEASE,
  priority: 1,
  step: step(over),
});

describe('a release that somebody else has made under our name', () => {
  test('is refused by a plan, with its chart and owner; not where it was not selected', async () => {
    await withFakeClients(async (parts) => {
      foreign(parts);
      const { clients } = parts;
      await assert.rejects(planFor(clients, clients.environment, {}, signal), REFUSED);
      await assert.rejects(
        planFor(clients, clients.environment, {}, signal, { selection: { only: [RELEASE], withDependencies: true } }),
        REFUSED,
      );
      const plan = await planFor(clients, clients.environment, {}, signal, { selection: { only: ['vault'] } });
      assert.equal(plan.services.find(({ name }) => name === RELEASE)?.action, 'excluded');
    });
  });

  test('one that hangs in the middle is named as well, not waited for', async () => {
    await withFakeClients(async (parts) => {
      put(parts, { revision: 1, chart: 'podinfo', status: 'pending-install', labels: { team: 'web' } });
      await assert.rejects(
        unguardedActivities(parts.clients, () => testScope()).applyRelease(input(parts, { toRevision: 1 })),
        REFUSED,
      );
    });
  });

  test('is refused by each step that would apply or remove it', async () => {
    await withFakeClients(async (parts) => {
      foreign(parts);
      const { clients, cluster, run } = parts;
      await assert.rejects(
        unguardedActivities(clients, () => testScope()).applyRelease(input(parts, { toRevision: 1 })),
        REFUSED,
      );
      await assert.rejects(
        unguardedActivities(clients, () => testScope()).removeRelease({
          run,
          service: RELEASE,
          step: step({ action: 'remove' }),
          priority: 1,
        }),
        REFUSED,
      );
      assert.deepEqual(cluster.removed, []);
    });
  });

  test('one that appears while the step waits for its turn with Helm is seen', async () => {
    await withFakeClients(async (parts) => {
      put(parts, { revision: 1, labels: ourLabels('run-0', DIGEST) });
      let applied = false;
      parts.clients.helm.rollback = async ({ onTurn }) => {
        parts.cluster.objects.clear();
        foreign(parts);
        await onTurn?.();
        applied = true;
        return { seconds: 0, queuedSeconds: 0 };
      };
      await assert.rejects(
        unguardedActivities(parts.clients, () => testScope()).applyRelease(input(parts, { toRevision: 1 })),
        REFUSED,
      );
      assert.equal(applied, false);
    });
  });

  test('is drift that no repair touches', async () => {
    await withFakeClients(async (parts) => {
      foreign(parts);
      const { findings } = await findObjectDrift(parts.clients, parts.clients.environment, signal);
      const of = findings.filter(({ release }) => release === RELEASE);
      assert.deepEqual(
        of.map(({ kind, is, by, repair }) => [kind, is, by, repair]),
        [['changed', 'podinfo 1.2.3, revision 1, deployed', 'helm', undefined]],
      );
    });
  });

  test('a destruction leaves another chart alone, also under labels that Helm has handed on', async () => {
    await withFakeClients(async (parts) => {
      put(parts, { revision: 1, status: 'superseded', labels: ourLabels('run-0', DIGEST) });
      put(parts, { revision: 2, chart: 'podinfo', labels: ourLabels('run-0', DIGEST) });
      const plan = await destroyPlanOf(parts.clients, false, signal);
      const planned = plan.services.find(({ name }) => name === RELEASE);
      assert.equal(planned?.action, 'unchanged');
      assert.match(planned.reason, /^left alone: .*podinfo 1\.2\.3/);
    });
  });
});

describe('a release that is ours', () => {
  const foreignOf = async (parts: FakeParts): Promise<string[]> => [
    ...((await observeCluster(parts.clients, parts.clients.environment, signal)).foreign?.keys() ?? []),
  ];
  test('as deployed; upgraded by hand with its own chart; uninstalled by somebody: none of them is foreign', async () => {
    await withFakeClients(async (parts) => {
      put(parts, { revision: 1, labels: ourLabels('run-0', DIGEST), status: 'superseded' });
      assert.deepEqual(await foreignOf(parts), []);
      put(parts, { revision: 2, labels: ourLabels('run-0', DIGEST) });
      assert.deepEqual(await foreignOf(parts), []);
      put(parts, { revision: 2, labels: {} });
      assert.deepEqual(await foreignOf(parts), []);
      put(parts, { revision: 3, chart: 'podinfo', status: 'uninstalled' });
      assert.deepEqual(await foreignOf(parts), []);
    });
  });

  test('of the environment that gave the cluster up: ours from then on, for plans, drift and destructions', async () => {
    await withFakeClients(async (parts) => {
      const { clients, cluster } = parts;
      put(parts, { revision: 1, labels: ourLabels('run-0', DIGEST, 'before') });
      assert.deepEqual(await foreignOf(parts), [`${NAMESPACE}/${RELEASE}`]);
      cluster.objects.set(...ownerRecord({ formerly: ['before'] }));
      forgetOwner(clients.kubernetes);
      assert.deepEqual(await foreignOf(parts), []);
      const plan = await planFor(clients, clients.environment, {}, signal);
      assert.equal(plan.services.find(({ name }) => name === RELEASE)?.action, 'upgrade');
      const destruction = await destroyPlanOf(clients, false, signal);
      assert.equal(destruction.services.find(({ name }) => name === RELEASE)?.action, 'remove');
    });
  });

  test('leftovers of it with the name of another environment are not among what a destruction removes', async () => {
    await withFakeClients(async (parts) => {
      const { clients, cluster } = parts;
      const served = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
      clients.kubernetes.kinds = () =>
        Promise.resolve({ kinds: [{ ...served, verbs: ['list', 'delete'] }], silent: [] });
      const left = (environment: string): void => {
        cluster.objects.set(`/api/v1/configmaps/left`, {
          metadata: {
            name: 'left',
            namespace: NAMESPACE,
            uid: 'left',
            resourceVersion: '1',
            labels: { 'app.kubernetes.io/managed-by': 'Helm', 'ananta.dev/environment': environment },
            annotations: { 'meta.helm.sh/release-name': RELEASE, 'meta.helm.sh/release-namespace': NAMESPACE },
          },
        });
      };
      const action = async (): Promise<string | undefined> =>
        (await destroyPlanOf(clients, false, signal)).services.find(({ name }) => name === RELEASE)?.action;
      left('sandbox');
      assert.equal(await action(), 'remove');
      left('other');
      assert.equal(await action(), 'unchanged');
    });
  });

  test('upgraded by hand to another chart is no longer ours', async () => {
    await withFakeClients(async (parts) => {
      put(parts, { revision: 1, labels: ourLabels('run-0', DIGEST), status: 'superseded' });
      put(parts, { revision: 2, chart: 'podinfo', labels: ourLabels('run-0', DIGEST) });
      assert.deepEqual(await foreignOf(parts), [`${NAMESPACE}/${RELEASE}`]);
    });
  });
});

describe('objects that Helm would take over by force', () => {
  const manifest =
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: own}\n';
  const kinds = [
    ['ConfigMap', 'configmaps'],
    ['Secret', 'secrets'],
  ].map(([kind, plural]) => ({
    group: '',
    version: 'v1',
    kind: kind!,
    plural: plural!,
    namespaced: true,
    verbs: ['list'],
  }));
  const path = `/api/v1/namespaces/${NAMESPACE}/configmaps/settings`;

  for (const [whose, metadata, refused] of [
    [
      "the release's",
      { annotations: { 'meta.helm.sh/release-name': RELEASE, 'meta.helm.sh/release-namespace': NAMESPACE } },
      false,
    ],
    [
      "the release's, with another environment's name on it",
      {
        annotations: { 'meta.helm.sh/release-name': RELEASE, 'meta.helm.sh/release-namespace': NAMESPACE },
        labels: { 'ananta.dev/environment': 'other' },
      },
      true,
    ],
    [
      "another release's",
      { annotations: { 'meta.helm.sh/release-name': 'x', 'meta.helm.sh/release-namespace': 'y' }, managedFields: [] },
      true,
    ],
    [
      "somebody's",
      { managedFields: [{ manager: 'kubectl-create', operation: 'Update', fieldsV1: { 'f:data': {} } }] },
      true,
    ],
  ] as const)
    test(`${whose}: ${refused ? 'refused before Helm is asked' : 'applied'}`, async () => {
      await withFakeClients(async (parts) => {
        const { clients, cluster } = parts;
        clients.kubernetes.kinds = () => Promise.resolve({ kinds, silent: [] });
        put(parts, { revision: 1, manifest, labels: ourLabels('run-0', DIGEST) });
        cluster.objects.set(path, {
          metadata: { name: 'settings', namespace: NAMESPACE, uid: 'u', resourceVersion: '1', ...metadata },
        });
        const applying = unguardedActivities(clients, () => testScope()).applyRelease(input(parts, { toRevision: 1 }));
        if (refused)
          await assert.rejects(applying, {
            name: 'DeployError',
            type: 'NotOurs',
            // Whose it is, and how to get in.
            message:
              /ConfigMap settings \([^]*\n {2}kubectl --namespace stores label configmap settings --overwrite app.kubernetes.io\/managed-by=Helm/,
          });
        else await assert.rejects(applying, /no Helm here/);
      });
    });
});
