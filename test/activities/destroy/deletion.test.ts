import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deleteAndWait, type Target } from '../../../src/effects/destroy/deletion.ts';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import { withFakeClients } from '../../support/fakes/clients.ts';

const PATH = '/api/v1/namespaces/apps';
const target: Target = { kind: 'Namespace', name: 'apps', path: PATH, uid: 'uid-1' };
const stall = { seconds: 0.3, lookMilliseconds: 10 };
const signal = new AbortController().signal;

/** What the namespace's status says at each look. */
async function hanging(
  says: (look: number) => string | undefined,
): Promise<{ stuck: Awaited<ReturnType<typeof deleteAndWait>>; seconds: number }> {
  let outcome: Awaited<ReturnType<typeof hanging>> | undefined;
  await withFakeClients(async ({ clients: { kubernetes } }) => {
    let look = 0;
    kubernetes.get = () => {
      look += 1;
      const message = says(look);
      const object = {
        metadata: { name: 'apps', uid: 'uid-1', resourceVersion: '1' },
        status: {
          conditions:
            message === undefined ? [] : [{ type: 'NamespaceDeletionDiscoveryFailure', status: 'True', message }],
        },
      };
      return Promise.resolve(object as unknown as KubernetesObject);
    };
    const started = performance.now();
    const stuck = await deleteAndWait(kubernetes, [target], stall, signal, () => undefined);
    outcome = { stuck, seconds: (performance.now() - started) / 1000 };
  });
  return outcome!;
}

describe('what hangs', () => {
  test('is named once nothing has moved for so long, with what it says itself', async () => {
    const { stuck } = await hanging(() => 'the API metrics.k8s.io/v1 does not answer');
    assert.deepEqual(
      stuck.map(({ kind, name, state, reason }) => ({ kind, name, state, reason })),
      [{ kind: 'Namespace', name: 'apps', state: 'stuck', reason: 'the API metrics.k8s.io/v1 does not answer' }],
    );
  });

  test('is waited for as long as it moves', async () => {
    const { seconds } = await hanging((look) => `${Math.max(0, 40 - look)} objects are left`);
    assert.ok(seconds > 0.6, `${seconds} s`);
  });

  test('does not move when it only says the same two things in turn', async () => {
    const { stuck, seconds } = await hanging((look) => (look % 2 === 0 ? 'the API does not answer' : undefined));
    assert.equal(stuck.length, 1);
    assert.ok(seconds < 5, `${seconds} s`);
  });
});
