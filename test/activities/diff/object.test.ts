import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Looking, findLive, objectChange } from '../../../src/effects/diff/object.ts';
import { type KubernetesObject, KubernetesError } from '../../../src/clients/kubernetes/index.ts';
import { manifestObjects } from '../../../src/plan/diff/manifest.ts';
import { markOf } from '../../../src/plan/fields/left.ts';
import type { ObjectChange } from '../../../src/plan/diff/types.ts';
import { withFakeClients } from '../../support/fakes/clients.ts';
import { testScope } from '../../support/scope.ts';
import { unguardedActivities } from '../../../src/activities/index.ts';

const MARKED = { 'meta.helm.sh/release-name': 'api', 'meta.helm.sh/release-namespace': 'apps' };
const MANAGED = { 'app.kubernetes.io/managed-by': 'Helm' };
const kind = (
  group: string,
  name: string,
  plural: string,
): Looking['kinds'] extends ReadonlyMap<string, infer Kind> ? Kind : never => ({
  group,
  version: 'v1',
  kind: name,
  plural,
  namespaced: true,
  verbs: [],
});

/** The difference of an object in the manifest, with this live object and this answer to the dry run. */
async function changeOf(
  text: string,
  live: Record<string, unknown> | undefined,
  dryRun: (path: string, object: unknown, force: boolean) => unknown,
  applied = ['Secret apps/s', 'StatefulSet apps/s', 'Thing /s'],
  fields: Pick<Looking, 'left' | 'formerly' | 'leaves'> = {},
): Promise<{ change: ObjectChange | undefined; asked: string[] }> {
  const asked: string[] = [];
  const [wanted] = manifestObjects(text);
  assert.ok(wanted);
  const looking: Looking = {
    kubernetes: {
      get: () => Promise.resolve(live as KubernetesObject | undefined),
      dryRun: async (path, object, { manager, force = false }) => {
        asked.push(`${manager} ${path}${force ? ' force' : ''}`);
        return dryRun(path, object, force) as KubernetesObject;
      },
    },
    kinds: new Map([
      ['/Secret', kind('', 'Secret', 'secrets')],
      ['apps/StatefulSet', kind('apps', 'StatefulSet', 'statefulsets')],
      ['batch/Job', kind('batch', 'Job', 'jobs')],
    ]),
    release: { name: 'api', namespace: 'apps' },
    owners: ['staging'],
    applied: new Set(applied),
    signal: new AbortController().signal,
    ...fields,
  };
  const found = await findLive(looking, wanted);
  assert.ok(found);
  return { change: await objectChange(looking, wanted, found), asked };
}

const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: new-password-1}\n';
const secret = (password: string): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'apps', uid: 'u', resourceVersion: '1', labels: MANAGED, annotations: MARKED },
  data: { password: Buffer.from(password).toString('base64') },
});

describe('one object of a plan', () => {
  test('is asked for in Helm’s name, and a Secret shows only that it differs', async () => {
    const { change, asked } = await changeOf(SECRET, secret('old-password-1'), () => secret('new-password-1'));
    assert.deepEqual(asked, ['helm /api/v1/namespaces/apps/secrets/s']);
    assert.equal(change?.action, 'update');
    assert.deepEqual(
      change.fields.map(({ path }) => path),
      ['data.password'],
    );
    const said = JSON.stringify(change);
    for (const value of [
      'old-password-1',
      'new-password-1',
      Buffer.from('old-password-1').toString('base64'),
      Buffer.from('new-password-1').toString('base64'),
    ])
      assert.ok(!said.includes(value));
    assert.match(said, /fingerprint [0-9a-f]{8}/);
  });

  test('a Job that has failed for good is made anew, with every single value where rules ask for it', async () => {
    const job = 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: s}\nspec: {template: {image: two}}\n';
    const live = {
      ...{ apiVersion: 'batch/v1', kind: 'Job' },
      metadata: { name: 's', namespace: 'apps', uid: 'u', resourceVersion: '1', labels: MANAGED, annotations: MARKED },
      spec: { template: { image: 'one' } },
      status: { conditions: [{ type: 'Failed', status: 'True' }] },
    };
    const { change, asked } = await changeOf(job, live, () => live, [], { leaves: true });
    assert.deepEqual([change?.action, asked], ['replace', []]);
    assert.ok(
      change?.leaves?.some(({ path, from, to }) => path === 'spec.template.image' && from === 'one' && to === 'two'),
    );
  });

  test('is left out when the server would change nothing', async () => {
    assert.equal((await changeOf(SECRET, secret('same'), () => secret('same'))).change, undefined);
  });

  test('is new where it is not there, and refused beforehand where the server would', async () => {
    assert.deepEqual((await changeOf(SECRET, undefined, () => secret('x'))).change, {
      action: 'create',
      kind: 'Secret',
      name: 's',
      namespace: 'apps',
      fields: [],
    });
    const { change } = await changeOf(SECRET, undefined, () => {
      throw new KubernetesError('PATCH x', 403, 'Forbidden', 'exceeded quota: q');
    });
    assert.match(change?.blocked ?? '', /refuses it: 403 exceeded quota/);
    // Its namespace comes first.
    assert.equal(
      (
        await changeOf(SECRET, undefined, () => {
          throw new KubernetesError('PATCH x', 404, 'NotFound', 'namespaces "apps" not found');
        })
      ).change?.blocked,
      undefined,
    );
  });

  describe('with a field that somebody else claims', () => {
    const claimed = (manager: string, formerly: readonly string[] = []): ReturnType<typeof changeOf> =>
      changeOf(
        SECRET,
        secret('a'),
        (_path, _object, force) => {
          if (force) return secret('b');
          throw new KubernetesError('PATCH x', 409, 'Conflict', 'Apply failed with 1 conflict', [
            { field: '.data.password', message: `conflict with "${manager}" using v1` },
          ]);
        },
        undefined,
        { formerly },
      );

    test('shows what would change, and that a person’s change is put back', async () => {
      const { change, asked } = await claimed('kubectl-edit');
      assert.deepEqual(
        asked.map((line) => line.endsWith(' force')),
        [false, true],
      );
      assert.equal(change?.fields.length, 1);
      assert.match(change.note ?? '', /^kubectl-edit owns data\.password: put back/);
      assert.equal(change.blocked, undefined);
    });

    test('names the controller that owns it, and that Helm stops there', async () => {
      const { change } = await claimed('some-operator');
      assert.equal(change?.fields.length, 1);
      assert.match(change.blocked ?? '', /^some-operator owns data\.password, and nothing is taken from a controller/);
    });

    test('is ours again where it was left to others before', async () => {
      const field = { kind: 'Secret', namespace: 'apps', name: 's', field: 'data.password', owner: 'x' };
      const { change } = await claimed('some-operator', [markOf(field)]);
      assert.equal(change?.blocked, undefined);
    });
  });

  test('says nothing of a field that is left to others', async () => {
    const left = [{ kind: 'Secret', name: 's', field: 'data.password', owner: 'x' }];
    const { change } = await changeOf(
      SECRET.replace('stringData: {password: new-password-1}', 'data: {password: Yg==}'),
      secret('a'),
      (_path, object) => ({ ...secret('a'), data: (object as { data: unknown }).data }),
      undefined,
      { left },
    );
    assert.equal(change, undefined);
  });

  test('names the immutable field, found with a stand-in', async () => {
    const set = (size: string, more: object = {}): Record<string, unknown> => ({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: {
        name: 's',
        namespace: 'apps',
        uid: '12345678-9',
        resourceVersion: '1',
        labels: MANAGED,
        annotations: MARKED,
      },
      spec: {
        replicas: 1,
        podManagementPolicy: 'OrderedReady',
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { size } }],
        ...more,
      },
    });
    const message = "Forbidden: updates to statefulset spec for fields other than 'replicas', 'template' are forbidden";
    const { change, asked } = await changeOf(
      'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\n',
      set('1Gi'),
      (path) => {
        if (path.endsWith('/s'))
          throw new KubernetesError('PATCH x', 422, 'Invalid', `StatefulSet.apps "s" is invalid: spec: ${message}`, [
            { field: 'spec', message },
          ]);
        return set('2Gi', { replicas: 2 });
      },
    );
    assert.equal(asked[1], 'helm /apis/apps/v1/namespaces/apps/statefulsets/ananta-plan-12345678');
    assert.equal(change?.action, 'replace');
    assert.deepEqual(change.immutable, ['spec.volumeClaimTemplates[name=data].spec.size']);
    assert.match(change.blocked ?? '', /nothing is deleted to get around that/);
  });

  test('is taken over where it bears the mark of its release, and blocked where it bears another', async () => {
    const { change } = await changeOf(SECRET, secret('same'), () => secret('same'), []);
    assert.deepEqual({ action: change?.action, blocked: change?.blocked }, { action: 'adopt', blocked: undefined });
    const foreign = { ...secret('same'), metadata: { name: 's', uid: 'u', resourceVersion: '1' } };
    assert.match(
      (await changeOf(SECRET, foreign, () => secret('same'), [])).change?.blocked ?? '',
      /Helm refuses to take it over.*kubectl --namespace apps label secret s .*annotate secret s .*release-name=api/,
    );
  });

  test('is blocked where somebody has put one of theirs in the place of it, whatever would change', async () => {
    const { metadata } = secret('same') as { metadata: Record<string, unknown> };
    const theirs = (more: Record<string, unknown>): Record<string, unknown> => ({
      ...secret('same'),
      metadata: { ...metadata, ...more },
    });
    const by = { managedFields: [{ manager: 'kubectl-create', operation: 'Update', fieldsV1: { 'f:data': {} } }] };
    for (const [live, whose] of [
      [theirs({ annotations: {}, ...by }), /^no Helm release has made it, "kubectl-create" has, so nothing is applied/],
      [
        theirs({ labels: { ...MANAGED, 'ananta.dev/environment': 'prod' } }),
        /environment "prod", so nothing is applied/,
      ],
    ] as const) {
      const { change } = await changeOf(SECRET, live, () => live);
      assert.match(change?.blocked ?? '', whose);
    }
    const own = theirs({ labels: { ...MANAGED, 'ananta.dev/environment': 'staging' } });
    assert.equal((await changeOf(SECRET, own, () => own)).change, undefined);
  });
});

describe('an approved plan', () => {
  test('is carried out only as it was', async () => {
    await withFakeClients(async ({ clients, run }) => {
      const plan = unguardedActivities(clients, () => testScope()).makePlan;
      const { digest } = await plan({ run });
      assert.equal((await plan({ run, expectedDigest: digest })).digest, digest);
      await assert.rejects(plan({ run, expectedDigest: '0123456789abcdef' }), (error: Error & { type?: string }) => {
        assert.equal(error.type, 'PlanOutdated');
        assert.match(error.message, /approved is 0123456789abcdef.*vault \(install\)/);
        return true;
      });
    });
  });
});
