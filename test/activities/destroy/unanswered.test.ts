/** A namespace in which a kind of objects could not be listed is kept during a destruction, and the kind is named. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Kind, type Kinds, KubernetesError, UnreachableError } from '../../../src/clients/kubernetes/index.ts';
import type { RemainingObject } from '../../../src/contract/operations/deploy.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { testScope } from '../../support/scope.ts';
import { unguardedActivities } from '../../../src/activities/index.ts';

const NAMESPACE = 'stores';
const kind = (version: string, name: string, plural: string): Kind => ({
  group: 'a.example',
  version,
  kind: name,
  plural,
  namespaced: true,
  verbs: ['list', 'delete'],
});
const KINDS = [kind('v1', 'Thing', 'things'), kind('v1beta1', 'Old', 'olds')];

async function destroyed(
  parts: FakeParts,
  kinds: Partial<Kinds> = {},
  failing?: { plural: string; error: Error; everything?: true },
): Promise<{ removed: string[]; remains: RemainingObject[] }> {
  const { clients, cluster, run } = parts;
  cluster.objects.set(`/api/v1/namespaces/${NAMESPACE}`, {
    metadata: {
      name: NAMESPACE,
      uid: 'ns',
      resourceVersion: '1',
      labels: { 'app.kubernetes.io/managed-by': 'ananta-deploy' },
      annotations: { 'ananta.dev/created': 'true' },
    },
  });
  const { list } = clients.kubernetes;
  clients.kubernetes.kinds = () => Promise.resolve({ kinds: KINDS, silent: [], ...kinds });
  clients.kubernetes.list = (path, options, signal) =>
    failing !== undefined && (failing.everything || path.endsWith(`/${failing.plural}`))
      ? Promise.reject(failing.error)
      : list(path, options, signal);
  return unguardedActivities(clients, () => testScope()).removeRemains({ run, deleteData: false });
}
const keptOf = ({ remains }: { remains: RemainingObject[] }): string | undefined =>
  remains.find(({ kind: of, name, state }) => of === 'Namespace' && name === NAMESPACE && state === 'kept')?.reason;

describe("the deployer's own namespace, when data go", () => {
  const RECORDS = '/api/v1/namespaces/ananta-system';
  const reasonOf = async (parts: FakeParts, forbidden: boolean): Promise<string> => {
    const { clients, cluster, run } = parts;
    const labels = { 'app.kubernetes.io/managed-by': 'ananta-deploy' };
    cluster.objects.set(RECORDS, {
      metadata: { name: 'ananta-system', uid: 'records', resourceVersion: '1', labels },
    });
    const { list } = clients.kubernetes;
    clients.kubernetes.kinds = () => Promise.resolve({ kinds: KINDS, silent: [] });
    clients.kubernetes.list = (path, options, signal) =>
      forbidden && path === '/apis/a.example/v1/namespaces/ananta-system/things'
        ? Promise.reject(new KubernetesError('GET x', 403, 'Forbidden', 'no'))
        : list(path, options, signal);
    const { remains } = await unguardedActivities(clients, () => testScope()).removeRemains({ run, deleteData: true });
    return remains.find(({ name }) => name === 'ananta-system')?.reason ?? '';
  };

  test('goes where everything in it can be seen', () =>
    withFakeClients(async (parts) => {
      assert.equal(await reasonOf(parts, false), '');
      assert.equal(parts.cluster.objects.has(RECORDS), false);
    }));

  test('stays where the identity may not look at a kind; the line that finishes it is said', () =>
    withFakeClients(async (parts) => {
      assert.match(
        await reasonOf(parts, true),
        /may hold things of somebody.* Look with more rights, then: kubectl delete namespace ananta-system$/,
      );
      assert.equal(parts.cluster.objects.has(RECORDS), true);
    }));

  test('no such line where it keeps the keys of a Vault', () =>
    withFakeClients(async (parts) => {
      const { environment } = parts.clients;
      environment.vault.keys = { store: 'kubernetes', namespace: 'ananta-system', name: 'vault-keys' };
      const reason = await reasonOf(parts, true);
      assert.match(reason, /keys of a Vault that a backup may need; it may hold things of somebody/);
      assert.doesNotMatch(reason, /kubectl delete/);
    }));
});

describe('a namespace of ours', () => {
  test('with nothing in it goes', () =>
    withFakeClients(async (parts) => {
      const result = await destroyed(parts);
      assert.equal(keptOf(result), undefined);
      assert.ok(result.removed.includes(`Namespace ${NAMESPACE}`));
    }));

  test("stays for somebody's object of a kind that only another version serves", () =>
    withFakeClients(async (parts) => {
      parts.cluster.objects.set(`/apis/a.example/v1beta1/namespaces/${NAMESPACE}/olds/theirs`, {
        metadata: { name: 'theirs', namespace: NAMESPACE, uid: 't', resourceVersion: '1' },
      });
      const result = await destroyed(parts);
      assert.match(keptOf(result) ?? '', /it holds what is not ours: Old theirs/);
      assert.deepEqual(parts.cluster.removed, []);
    }));

  test('stays while a served version does not answer', () =>
    withFakeClients(async (parts) => {
      const result = await destroyed(parts, {
        silent: [{ group: 'b.example', version: 'v2', reason: 'GET /apis/b.example/v2: 429 later' }],
      });
      assert.match(keptOf(result) ?? '', /no answer for whatever b\.example\/v2 serves \(GET \S+: 429 later\)/);
      assert.deepEqual(parts.cluster.removed, []);
    }));

  for (const [what, error, said] of [
    [
      '429',
      new KubernetesError('GET x', 429, 'TooManyRequests', 'later'),
      /no answer for things\.a\.example \(GET x: 429 later\)/,
    ],
    [
      '503',
      new KubernetesError('GET x', 503, 'ServiceUnavailable', 'down'),
      /no answer for things\.a\.example \(GET x: 503 down\)/,
    ],
    [
      'silence',
      new UnreachableError('GET x: no answer within 15 s'),
      /no answer for things\.a\.example \(GET x: no answer/,
    ],
    [
      '403',
      new KubernetesError('GET x', 403, 'Forbidden', 'no'),
      /may hold things\.a\.example of somebody, which the identity/,
    ],
  ] as const)
    test(`stays where a kind is answered with ${what}`, () =>
      withFakeClients(async (parts) => {
        const result = await destroyed(parts, {}, { plural: 'things', error });
        assert.match(keptOf(result) ?? '', said);
        assert.deepEqual(parts.cluster.removed, []);
      }));

  test('an API server that is away altogether is no answer about anything: tried again', () =>
    withFakeClients(async (parts) => {
      const error = new UnreachableError('GET x: connection refused');
      await assert.rejects(destroyed(parts, {}, { plural: '', error, everything: true }), error);
    }));
});
