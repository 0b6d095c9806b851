/**
 * Applying a release whose fields somebody else decides or has changed, with a Helm that refuses what the real one
 * refuses.
 */
import assert from 'node:assert/strict';
import { appendFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { HelmError, type UpgradeRequest } from '../../../src/clients/helm/index.ts';
import {
  type JsonPatchOperation,
  KubernetesError,
  type KubernetesObject,
} from '../../../src/clients/kubernetes/index.ts';
import type { ApplyReleaseInput, ApplyReleaseResult } from '../../../src/contract/activities.ts';
import { markOf } from '../../../src/plan/fields/left.ts';
import { releaseInputs } from '../../../src/plan/inputs/release-inputs.ts';
import { findRelease } from '../../../src/plan/releases.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { helmRecord, ourLabels } from '../../support/fakes/helm-record.ts';
import { testScope } from '../../support/scope.ts';
import { unguardedActivities } from '../../../src/activities/index.ts';

const NAMESPACE = 'apps';
const NAME = 'api';
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${NAME}`;
const AUTOSCALER = `/apis/autoscaling/v2/horizontalpodautoscalers/${NAME}`;
const REPLICAS = { kind: 'Deployment', namespace: NAMESPACE, name: NAME, field: 'spec.replicas', owner: '' };
const MANIFEST = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${NAME}}\nspec: {replicas: 1, paused: false}\n`;

interface World extends FakeParts {
  upgrades: (UpgradeRequest & { applied: string })[];
  patches: JsonPatchOperation[][];
  live: KubernetesObject;
  /** Writes Helm's record of a revision. */
  record: (revision: number, status: string, labels?: Record<string, string>) => void;
  apply: () => Promise<ApplyReleaseResult>;
  /** Rolls back to revision 1. */
  back: () => Promise<ApplyReleaseResult>;
}

/** @param claims managers of the live Deployment and the fields of its spec that they claim */
async function inWorld(
  claims: [manager: string, operation: string, fields: string[]][],
  work: (world: World) => Promise<void>,
): Promise<void> {
  await withFakeClients(async (parts) => {
    const { clients, cluster, run } = parts;
    const { kubernetes, helm } = clients;
    const [upgrades, patches]: [World['upgrades'], World['patches']] = [[], []];
    const live: KubernetesObject = {
      metadata: {
        name: NAME,
        namespace: NAMESPACE,
        uid: 'u',
        resourceVersion: '1',
        annotations: { 'meta.helm.sh/release-name': NAME, 'meta.helm.sh/release-namespace': NAMESPACE },
        managedFields: claims.map(([manager, operation, fields]) => ({
          manager,
          operation,
          fieldsV1: { 'f:spec': Object.fromEntries(fields.map((field) => [`f:${field}`, {}])) },
        })),
      },
      spec: { replicas: 3 },
    };
    cluster.objects.set(DEPLOYMENT, live);
    cluster.watched.set(`Deployment/${NAMESPACE}/${NAME}/${NAME}`, live);
    const served = { version: 'v1', namespaced: true, verbs: ['get', 'list', 'patch'] };
    kubernetes.kinds = () =>
      Promise.resolve({ kinds: [{ ...served, group: 'apps', kind: 'Deployment', plural: 'deployments' }], silent: [] });
    const claimedBy = (): string | undefined => {
      const entries = live.metadata['managedFields'] as {
        manager: string;
        fieldsV1: { 'f:spec'?: Record<string, unknown> };
      }[];
      return entries.find(
        ({ manager, fieldsV1 }) => manager !== 'helm' && fieldsV1['f:spec'] && 'f:replicas' in fieldsV1['f:spec'],
      )?.manager;
    };
    // As the API server does, for the one field of the test.
    kubernetes.patch = (path, operations) => {
      assert.equal(path, DEPLOYMENT);
      patches.push([...operations]);
      const entries = live.metadata['managedFields'] as { fieldsV1: unknown }[];
      for (const { op, path: at, value } of operations.slice(1)) {
        const index = Number(/managedFields\/(\d+)/.exec(at)?.[1]);
        if (op === 'remove') entries.splice(index, 1);
        else entries[index]!.fieldsV1 = value;
      }
      return Promise.resolve(live);
    };
    kubernetes.dryRun = (_path, object) => {
      const by = claimedBy();
      if (by === undefined || !JSON.stringify(object).includes('replicas'))
        return Promise.resolve(object as KubernetesObject);
      return Promise.reject(
        new KubernetesError('PATCH x', 409, 'Conflict', 'Apply failed with 1 conflict', [
          { field: '.spec.replicas', message: `conflict with "${by}" with subresource "scale" using apps/v1` },
        ]),
      );
    };
    const record: World['record'] = (revision, status, labels = {}) => {
      const own = ourLabels(`run-${revision}`, 'a-digest');
      const [path, secret] = helmRecord({
        namespace: NAMESPACE,
        release: NAME,
        revision,
        status,
        manifest: MANIFEST,
        labels: { ...own, ...labels },
      });
      cluster.objects.set(path, secret);
    };
    helm.upgrade = (request) => {
      const applied = request.change?.(MANIFEST) ?? MANIFEST;
      upgrades.push({ ...request, applied });
      const by = claimedBy();
      const conflict = applied.includes('replicas') && by !== undefined;
      record(upgrades.length + 1, conflict ? 'failed' : 'deployed', request.labels);
      return conflict
        ? Promise.reject(new HelmError('FieldConflict', `fields belong to another manager: ${by}`))
        : Promise.resolve({ revision: upgrades.length + 1, seconds: 0, queuedSeconds: 0 });
    };
    const { digest } = await releaseInputs(
      clients.catalog,
      clients.environment,
      findRelease(clients.catalog, NAME),
      {},
      clients.config,
    );
    const input: ApplyReleaseInput = {
      run,
      service: NAME,
      priority: 1,
      step: {
        kind: 'release',
        name: NAME,
        namespace: NAMESPACE,
        job: false,
        action: 'upgrade',
        reason: 'changed',
        digest,
      },
    };
    record(1, 'deployed', { 'ananta-digest': 'another' });
    await work({
      ...parts,
      upgrades,
      patches,
      live,
      record,
      apply: () => unguardedActivities(clients, () => testScope()).applyRelease(input),
      back: () =>
        unguardedActivities(clients, () => testScope()).applyRelease({
          ...input,
          step: { ...input.step, action: 'rollback', digest: 'another', toRevision: 1 },
        }),
    });
  });
}

const withAutoscaler = ({ cluster }: FakeParts): void => {
  cluster.objects.set(AUTOSCALER, {
    metadata: { name: NAME, namespace: NAMESPACE, uid: 'h', resourceVersion: '1' },
    spec: { scaleTargetRef: { kind: 'Deployment', name: NAME } },
  });
};

describe('replicas under an autoscaler', () => {
  test('are in nothing that Helm applies, which remembers that', () =>
    inWorld([['kube-controller-manager', 'Update', ['replicas']]], async (world) => {
      withAutoscaler(world);
      assert.equal((await world.apply()).changed, true);
      const [upgrade] = world.upgrades;
      assert.doesNotMatch(upgrade?.applied ?? '', /replicas/);
      assert.match(upgrade?.applied ?? '', /paused/);
      assert.equal(upgrade?.labels['ananta-left'], markOf(REPLICAS));
      assert.deepEqual(world.patches, []);
    }));

  test('Helm gives up its claim first: else they would go back to one', () =>
    inWorld([['helm', 'Apply', ['replicas', 'paused']]], async (world) => {
      withAutoscaler(world);
      await world.apply();
      assert.deepEqual(world.patches, [
        [
          { op: 'test', path: '/metadata/resourceVersion', value: '1' },
          { op: 'replace', path: '/metadata/managedFields/0/fieldsV1', value: { 'f:spec': { 'f:paused': {} } } },
        ],
      ]);
    }));

  test('are ours again when it is gone: what it has claimed is taken back, and named', () =>
    inWorld([['horizontal-scaler', 'Update', ['replicas']]], async (world) => {
      world.record(1, 'deployed', { 'ananta-digest': 'another', 'ananta-left': markOf(REPLICAS) });
      const { putBack } = await world.apply();
      assert.deepEqual(putBack, [`spec.replicas of Deployment ${NAMESPACE}/${NAME}, changed by horizontal-scaler`]);
      assert.match(world.upgrades.at(-1)?.applied ?? '', /replicas: 1/);
      assert.equal(world.upgrades.at(-1)?.labels['ananta-left'], 'none');
    }));

  test('of other releases cost one list for all of an operation', () =>
    inWorld([], async (world) => {
      world.cluster.objects.set(AUTOSCALER, {
        metadata: { name: 'x', namespace: 'elsewhere', uid: 'h', resourceVersion: '1' },
        spec: { scaleTargetRef: { kind: 'Deployment', name: 'x' } },
      });
      let asked = 0;
      const { list } = world.clients.kubernetes;
      world.clients.kubernetes.list = (path, ...rest) => {
        if (path.endsWith('/horizontalpodautoscalers')) asked += 1;
        return list(path, ...rest);
      };
      await world.apply();
      world.record(9, 'deployed', { 'ananta-digest': 'another' });
      await world.apply();
      assert.equal(asked, 1);
      assert.match(world.upgrades[0]?.applied ?? '', /replicas: 1/);
    }));
});

describe('going back', () => {
  const calls = ({ clients: { helm }, record }: World): string[] => {
    const asked: string[] = [];
    helm.rollback = ({ revision }) => {
      asked.push(`rollback ${revision}`);
      record(3, 'deployed', { 'ananta-digest': 'another' });
      return Promise.resolve({ seconds: 0, queuedSeconds: 0 });
    };
    helm.reapply = ({ revision, manifest, labels, stored }) => {
      asked.push(`reapply ${revision}`, manifest, String(labels['ananta-left']), stored.chart.metadata.name);
      record(3, 'deployed', labels);
      return Promise.resolve({ revision: 3, seconds: 0, queuedSeconds: 0 });
    };
    return asked;
  };

  test('to a revision that says how many replicas there are, under an autoscaler: without that', () =>
    inWorld([['kube-controller-manager', 'Update', ['replicas']]], async (world) => {
      withAutoscaler(world);
      world.record(2, 'deployed', { 'ananta-digest': 'newer' });
      const asked = calls(world);
      assert.equal((await world.back()).revision, 3);
      const [what, manifest = '', left, chart] = asked;
      assert.deepEqual([what, left, chart], ['reapply 1', markOf(REPLICAS), 'service']);
      assert.doesNotMatch(manifest, /replicas/);
      assert.match(manifest, /paused/);
    }));

  test('is Helm’s own rollback where nothing is left to others', () =>
    inWorld([['helm', 'Apply', ['replicas']]], async (world) => {
      world.record(2, 'deployed', { 'ananta-digest': 'newer' });
      const asked = calls(world);
      await world.back();
      assert.deepEqual([asked, world.patches], [['rollback 1'], []]);
    }));

  test('to a revision that left replicas to an autoscaler which is gone: they stay as many as they are', () =>
    inWorld([['helm', 'Apply', ['replicas', 'paused']]], async (world) => {
      world.record(1, 'superseded', { 'ananta-digest': 'another', 'ananta-left': markOf(REPLICAS) });
      world.record(2, 'deployed', { 'ananta-digest': 'newer' });
      const asked = calls(world);
      await world.back();
      assert.deepEqual(asked, ['rollback 1']);
      assert.deepEqual(world.patches[0]?.[1], {
        op: 'replace',
        path: '/metadata/managedFields/0/fieldsV1',
        value: { 'f:spec': { 'f:paused': {} } },
      });
    }));
});

describe('a field in conflict', () => {
  test('that a person has changed is put back and named', () =>
    inWorld([['kubectl', 'Update', ['replicas']]], async (world) => {
      const { putBack, revision } = await world.apply();
      assert.deepEqual(
        [putBack, revision],
        [[`spec.replicas of Deployment ${NAMESPACE}/${NAME}, changed by kubectl`], 3],
      );
      assert.deepEqual(world.patches[0]?.slice(1), [{ op: 'remove', path: '/metadata/managedFields/0' }]);
    }));

  test('of a controller is left, and said with what to do; nothing is applied by force', () =>
    inWorld([['some-operator', 'Update', ['replicas']]], async (world) => {
      await assert.rejects(world.apply(), (error: Error & { type?: string }) => {
        assert.equal(error.type, 'FieldConflict');
        assert.match(
          error.message,
          /spec\.replicas of Deployment apps\/api, changed by some-operator: nothing is taken.*Lease the field/,
        );
        return true;
      });
      assert.deepEqual([world.upgrades.length, world.patches.length], [1, 0]);
    }));

  test('that is leased does not come up', () =>
    inWorld([['some-operator', 'Update', ['replicas']]], async (world) => {
      const { clients, folder } = world;
      await cp(clients.config.environmentsDir, folder, { recursive: true });
      const lease = `fields: [{kind: Deployment, name: ${NAME}, path: spec.replicas, owner: some-operator}]\n`;
      await appendFile(join(folder, 'sandbox.yaml'), lease);
      Object.assign(clients, { config: { ...clients.config, environmentsDir: folder } });
      await world.apply();
      assert.doesNotMatch(world.upgrades[0]?.applied ?? '', /replicas/);
    }));
});
