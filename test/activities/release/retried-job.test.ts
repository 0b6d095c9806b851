/** A failed or finished Job is made again when a person asks for a retry, and only then. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unguardedActivities } from '../../../src/activities/index.ts';
import { KubernetesError } from '../../../src/clients/kubernetes/index.ts';
import type { OutputOf } from '../../../src/contract/activities.ts';
import { allDigests } from '../../../src/plan/inputs/release-inputs.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { helmStore, withStore } from '../../support/fakes/helm-store.ts';
import { testScope } from '../../support/scope.ts';

const PATH = '/apis/batch/v1/namespaces/stores/jobs/cache';
const FAILED = { failed: 3, conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] };
const BETWEEN = { failed: 2, active: 0 };
const AT_WORK = { failed: 2, active: 1 };
const ENDING = { failed: 2, active: 0, terminating: 1 };
const COMPLETED = { failed: 1, succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] };

interface Retried {
  parts: FakeParts;
  /** The Job as it is from now on; undefined: there is none. */
  job: (status: object | undefined) => void;
  /** @param again a person has asked for a retry */
  apply: (again?: true) => OutputOf<'applyRelease'>;
  /** How often Helm applied the release. */
  applied: () => number;
  removed: () => number;
}

/** A release of one Job, applied by this run. */
async function retried(work: (world: Retried) => Promise<void>): Promise<void> {
  await withFakeClients(async (parts) => {
    const { clients, cluster, run } = parts;
    const asked = withStore(parts, helmStore(parts));
    const { catalog, environment, config } = clients;
    const digest = (await allDigests(catalog, environment, {}, config)).get('cache') ?? '';
    const apply = (again?: true): OutputOf<'applyRelease'> =>
      unguardedActivities(clients, () => testScope()).applyRelease({
        run,
        service: 'cache',
        priority: 1,
        step: { kind: 'release', name: 'cache', namespace: 'stores', job: true, action: 'install', reason: '', digest },
        ...(again ? { again } : {}),
      });
    await apply();
    await work({
      parts,
      apply,
      applied: () => asked.length - 1,
      removed: () => cluster.removed.filter((path) => path === PATH).length,
      job: (status) => {
        if (status === undefined) cluster.objects.delete(PATH);
        else
          cluster.objects.set(PATH, {
            metadata: {
              name: 'cache',
              namespace: 'stores',
              uid: 'job',
              resourceVersion: '7',
              creationTimestamp: '2026-01-01T00:00:00Z',
              labels: { 'app.kubernetes.io/managed-by': 'Helm', 'app.kubernetes.io/instance': 'cache' },
              annotations: { 'meta.helm.sh/release-name': 'cache', 'meta.helm.sh/release-namespace': 'stores' },
            },
            spec: {},
            status,
          });
      },
    });
  });
}

describe('a release of a Job that is as planned', () => {
  for (const [what, status, again, made] of [
    ['has failed for good', FAILED, true, true],
    ['waits minutes for its next attempt', BETWEEN, true, true],
    ['is at work', AT_WORK, true, false],
    ['is just ending a pod', ENDING, true, false],
    ['has completed', COMPLETED, true, false],
    ['has failed, and nobody asks for another try', FAILED, undefined, false],
    ['waits for its next attempt, and nobody asks for another try', BETWEEN, undefined, false],
  ] as const)
    test(`${what}: ${made ? 'made again' : 'left alone'}`, () =>
      retried(async ({ job, apply, applied, removed }) => {
        job(status);
        await apply(again);
        assert.deepEqual([removed(), applied()], made ? [1, 1] : [0, 0]);
      }));

  test('removed by an attempt whose worker was killed before Helm had begun: the next one has Helm make it', () =>
    retried(async ({ job, apply, applied, removed }) => {
      job(undefined);
      await apply(true);
      assert.deepEqual([removed(), applied()], [0, 1]);
      // Without a retry nothing is done: a completed Job may have been removed by its time to live.
      await apply();
      assert.equal(applied(), 1);
    }));

  test('that has begun its next attempt in between is left to it', () =>
    retried(async ({ parts, job, apply, removed }) => {
      job(BETWEEN);
      const { remove } = parts.clients.kubernetes;
      const versions: (string | undefined)[] = [];
      parts.clients.kubernetes.remove = (path, options = {}) => {
        versions.push(options.resourceVersion);
        return Promise.reject(new KubernetesError(`DELETE ${path}`, 409, 'Conflict', 'Precondition failed'));
      };
      await apply(true);
      assert.deepEqual([versions, removed()], [['7'], 0]);
      // A Job that has failed for good cannot have changed meanwhile, so the refusal is an error.
      job(FAILED);
      await assert.rejects(apply(true), /Precondition failed/);
      parts.clients.kubernetes.remove = remove;
    }));
});
