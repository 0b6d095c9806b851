import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport } from '../../../src/clients/kubernetes/transport.ts';
import { createWatches, type Watches } from '../../../src/clients/kubernetes/watches.ts';
import { type FakeApiServer, fakeApiServer, list, object, status } from '../../support/fakes/api-server.ts';

const DEPLOYMENTS = '/apis/apps/v1/deployments';
const PODS = '/api/v1/pods';
const helms = (release: string): Record<string, unknown> => ({
  metadata: { annotations: { 'meta.helm.sh/release-name': release } },
});

async function withWatches(work: (watches: Watches, server: FakeApiServer) => Promise<void>): Promise<void> {
  const server = await fakeApiServer();
  const transport = createTransport(server.kubeconfig);
  const watches = createWatches(transport, { firstPause: 5, longestPause: 20 });
  server.answer(({ path }) => {
    if (path === DEPLOYMENTS) return list(10, object('api', 3, helms('messages')));
    return path === PODS
      ? list(10, object('api-1', 4, { metadata: { labels: { 'app.kubernetes.io/instance': 'messages' } } }))
      : list(10);
  });
  try {
    await work(watches, server);
  } finally {
    watches.close();
    transport.close();
    await server.close();
  }
}

test("objects are found by release: by Helm's mark, else by the instance label", async () => {
  await withWatches(async (watches) => {
    await watches.synced();
    assert.deepEqual(
      watches.of('Deployment', 'ns', 'messages').map(({ metadata }) => metadata.name),
      ['api'],
    );
    assert.deepEqual(
      watches.of('Pod', 'ns', 'messages').map(({ metadata }) => metadata.name),
      ['api-1'],
    );
    assert.deepEqual(watches.of('Pod', 'elsewhere', 'messages'), []);
    assert.deepEqual([...watches.releases()], ['ns/messages']);
  });
});

test('listeners hear of their release alone, once for many changes at a time', async () => {
  await withWatches(async (watches, server) => {
    await watches.synced();
    await server.watched(PODS);
    let heard = 0;
    let others = 0;
    const end = watches.listen('ns', 'messages', () => {
      heard += 1;
    });
    watches.listen('ns', 'other', () => {
      others += 1;
    });
    await sleep(30);
    heard = 0;
    others = 0;
    for (let version = 20; version < 40; version += 1)
      server.emit(PODS, {
        type: 'MODIFIED',
        object: object('api-1', version, { metadata: { labels: { 'app.kubernetes.io/instance': 'messages' } } }),
      });
    while (watches.of('Pod', 'ns', 'messages')[0]?.metadata.resourceVersion !== '39') await sleep(2);
    assert.ok(heard >= 1 && heard < 10, `${heard} calls`);
    assert.equal(others, 0);
    end();
    server.emit(PODS, {
      type: 'DELETED',
      object: object('api-1', 50, { metadata: { labels: { 'app.kubernetes.io/instance': 'messages' } } }),
    });
    while (watches.of('Pod', 'ns', 'messages').length > 0) await sleep(2);
    assert.ok(heard < 10);
  });
});

test('a list that is not allowed is said at once, not waited for', async () => {
  await withWatches(async (watches, server) => {
    server.answer(({ path }) =>
      path === PODS
        ? { status: 403, body: status(403, 'Forbidden', 'pods is forbidden: User "x" cannot list resource "pods"') }
        : list(10),
    );
    await assert.rejects(watches.synced(), /cannot list resource "pods"/);
  });
});

test('waiting for the first lists ends with the signal', async () => {
  await withWatches(async (watches, server) => {
    server.answer(() => 'hang');
    await assert.rejects(watches.synced(AbortSignal.timeout(30)), { name: 'TimeoutError' });
  });
});

test('live only while every kind is followed', async () => {
  await withWatches(async (watches, server) => {
    await watches.synced();
    while (!watches.live()) await sleep(2);
    await server.stop();
    while (watches.live()) await sleep(2);
    await server.start();
    while (!watches.live()) await sleep(2);
  });
});

test('a watch that has lost its right: what it knew is not believed, and is known again when the right is back', async () => {
  await withWatches(async (watches, server) => {
    await watches.synced();
    while (!watches.live()) await sleep(2);
    server.refuseWatches(
      { status: 403, body: status(403, 'Forbidden', 'pods is forbidden: User "x" cannot watch resource "pods"') },
      PODS,
    );
    server.endWatches('end');
    while (watches.refused('ns') === undefined) await sleep(2);
    assert.match(watches.refused('ns') ?? '', /^Pod can no longer be watched \(.*403 pods is forbidden/);
    assert.deepEqual(watches.of('Pod', 'ns', 'messages'), []);
    assert.equal(watches.of('Deployment', 'ns', 'messages').length, 1);
    await assert.rejects(watches.synced(AbortSignal.timeout(50)), { name: 'TimeoutError' });
    server.refuseWatches(undefined);
    await watches.synced();
    assert.equal(watches.refused('ns'), undefined);
    assert.equal(watches.of('Pod', 'ns', 'messages').length, 1);
  });
});

test('events of a namespace are followed from the first question on', async () => {
  await withWatches(async (watches, server) => {
    const events = '/api/v1/namespaces/ns/events';
    const asked: (string | null)[] = [];
    server.answer(({ path, query }) => {
      if (path !== events) return list(10);
      asked.push(query.get('fieldSelector'));
      return list(10, object('a', 3));
    });
    await watches.synced();
    let heard = 0;
    watches.listen('ns', 'api', () => {
      heard += 1;
    });
    assert.deepEqual(watches.warnings('ns'), []);
    while (watches.warnings('ns').length === 0) await sleep(2);
    await server.watched(events);
    server.emit(events, { type: 'ADDED', object: object('b', 20) });
    while (watches.warnings('ns').length < 2) await sleep(2);
    assert.ok(heard > 0);
    assert.equal(asked[0], 'type=Warning');
  });
});
