import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError } from '../../../bootstrap/cluster/api.ts';
import { probeSimulator } from '../../../bootstrap/cluster/index.ts';

interface Thing {
  metadata: { name: string; annotations: Record<string, string> };
  spec: Record<string, unknown>;
  status?: object;
}

/**
 * An API server with a simulator that handles pods, or volumes, only after its Stages were written again so many times.
 */
function simulated({
  ignores,
  refuses,
}: {
  ignores?: { kind: 'pods' | 'volumes'; times: number };
  refuses?: ApiError;
} = {}) {
  const things = new Map<string, Thing>();
  const asked: string[] = [];
  let rewrites = 0;
  const handles = (kind: 'pods' | 'volumes'): boolean => ignores?.kind !== kind || rewrites >= ignores.times;
  const play = (): void => {
    for (const [path, thing] of things) {
      if (path.includes('/pods/') && handles('pods'))
        thing.status = { conditions: [{ type: 'Ready', status: 'True' }] };
      if (path.includes('/persistentvolumeclaims/') && handles('volumes')) {
        thing.spec['volumeName'] = 'pvc-1';
        thing.status = { phase: 'Bound' };
      }
    }
  };
  const api = {
    request: (method: string, path: string, body?: { content: unknown }): Promise<unknown> => {
      const [plain = ''] = path.split('?');
      asked.push(`${method} ${plain}`);
      if (refuses !== undefined && method === 'POST') return Promise.reject(refuses);
      if (plain.endsWith('/stages/pod-start')) rewrites += 1;
      else if (method === 'POST')
        things.set(`${plain}/${(body?.content as Thing).metadata.name}`, structuredClone(body?.content as Thing));
      else if (method === 'DELETE') things.delete(plain);
      else if (method === 'GET') {
        play();
        const found = things.get(plain);
        return found === undefined
          ? Promise.reject(new ApiError(404, 'not there'))
          : Promise.resolve(structuredClone(found));
      }
      return Promise.resolve(undefined);
    },
  };
  return { api, asked, things };
}

describe('the simulator is probed', () => {
  test('a pod and a claim that are played are enough, and neither stays', async () => {
    const { api, asked, things } = simulated();
    const resynced: string[] = [];
    await probeSimulator(api, 'node-0', { onResync: (what) => resynced.push(what) });
    assert.deepEqual(resynced, []);
    assert.equal(things.size, 0);
    assert.ok(asked.includes('GET /api/v1/persistentvolumes/pvc-1'), 'that the volume goes is seen, too');
  });

  for (const [kind, what] of [
    ['pods', 'make a pod ready'],
    ['volumes', 'make a volume'],
  ] as const) {
    test(`without ${kind}: its Stages are written again, and the object is touched after that`, async () => {
      const { api, asked, things } = simulated({ ignores: { kind, times: 1 } });
      const resynced: string[] = [];
      await probeSimulator(api, 'node-0', { onResync: (missed) => resynced.push(missed) });
      assert.deepEqual(resynced, [what]);
      const stage = asked.findIndex((request) => request.endsWith('/stages/pod-start'));
      assert.match(
        asked[stage + 1] ?? '',
        /^PATCH \/api\/v1\/namespaces\/kube-system\/(pods|persistentvolumeclaims)\/simulator-proof$/,
      );
      assert.equal(things.size, 0);
    });
  }

  test('what an earlier probe has left shows nothing: it is made anew', async () => {
    const { api, asked, things } = simulated();
    const path = '/api/v1/namespaces/kube-system/pods/simulator-proof';
    things.set(path, {
      metadata: { name: 'simulator-proof', annotations: { 'simulation.ananta.dev/proof': 'of another' } },
      spec: {},
    });
    await probeSimulator(api, 'node-0');
    assert.deepEqual(
      asked.filter((request) => request.includes('/pods')),
      [
        `GET ${path}`,
        `DELETE ${path}`,
        `GET ${path}`,
        'POST /api/v1/namespaces/kube-system/pods',
        `GET ${path}`,
        `DELETE ${path}`,
      ],
    );
  });

  test('what the API server refuses for good ends it', async () => {
    const { api } = simulated({ refuses: new ApiError(403, 'no') });
    await assert.rejects(probeSimulator(api, 'node-0'), { name: 'ApiError', status: 403 });
  });

  test('ended from outside', async () => {
    const { api } = simulated({ ignores: { kind: 'pods', times: 100 } });
    await assert.rejects(probeSimulator(api, 'node-0', { signal: AbortSignal.timeout(300) }), /abort/i);
  });
});
