import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import { createTransport } from '../../../src/clients/kubernetes/transport.ts';
import { runWatch } from '../../../src/clients/kubernetes/watch.ts';
import { type FakeApiServer, fakeApiServer, list, object, status } from '../../support/fakes/api-server.ts';

const PATH = '/apis/apps/v1/deployments';

interface Watching {
  server: FakeApiServer;
  known: Map<string, string>;
  live: () => boolean;
  lists: () => number;
  watches: () => number;
  lastWatch: () => URLSearchParams;
  until: (what: () => boolean) => Promise<void>;
}

async function watching(work: (watch: Watching) => Promise<void>, silenceSeconds = 100): Promise<void> {
  const server = await fakeApiServer();
  const transport = createTransport(server.kubeconfig);
  const stop = new AbortController();
  const known = new Map<string, string>();
  let live = false;
  let lists = 0;
  const put = ({ metadata }: KubernetesObject): void => {
    known.set(metadata.name, metadata.resourceVersion);
  };
  server.answer(() => list(10, object('a', 3), object('b', 4)));
  const running = runWatch(
    transport,
    { path: PATH, labelSelector: 'x=y' },
    {
      replace: (objects) => {
        lists += 1;
        known.clear();
        objects.forEach(put);
      },
      changed: put,
      deleted: ({ metadata }) => {
        known.delete(metadata.name);
      },
      live: (now) => {
        live = now;
      },
    },
    stop.signal,
    { firstPause: 5, longestPause: 20, silenceSeconds },
  );
  const until = async (what: () => boolean): Promise<void> => {
    for (let i = 0; i < 4000; i += 1) {
      if (what()) return;
      await sleep(5);
    }
    assert.fail(`not within 20 s: ${what.toString()}`);
  };
  try {
    await server.watched(PATH);
    await work({
      server,
      known,
      live: () => live,
      lists: () => lists,
      watches: () => server.requests.filter(({ query }) => query.has('watch')).length,
      lastWatch: () => server.requests.findLast(({ query }) => query.has('watch'))!.query,
      until,
    });
  } finally {
    stop.abort();
    await running;
    transport.close();
    await server.close();
  }
}

describe('watch', () => {
  test('lists, then follows from the version of the list', async () => {
    await watching(async ({ server, known, live, lastWatch, until }) => {
      await until(live);
      assert.deepEqual(
        [...known],
        [
          ['a', '3'],
          ['b', '4'],
        ],
      );
      assert.deepEqual(
        [lastWatch().get('resourceVersion'), lastWatch().get('labelSelector'), lastWatch().get('allowWatchBookmarks')],
        ['10', 'x=y', 'true'],
      );
      server.emit(PATH, { type: 'MODIFIED', object: object('a', 11) });
      server.emit(PATH, { type: 'ADDED', object: object('c', 12) });
      server.emit(PATH, { type: 'DELETED', object: object('b', 13) });
      await until(() => known.get('c') === '12' && !known.has('b'));
      assert.equal(known.get('a'), '11');
    });
  });

  test('an event that arrives in pieces is put together', async () => {
    await watching(async ({ server, known, until }) => {
      server.emit(PATH, { type: 'ADDED', object: object('big', 11, { data: 'ä'.repeat(200_000) }) });
      await until(() => known.has('big'));
    });
  });

  test('ended by the server: goes on from the last version seen, bookmarks included, without a new list', async () => {
    await watching(async ({ server, lists, watches, lastWatch, known, until }) => {
      server.emit(PATH, { type: 'MODIFIED', object: object('a', 11) });
      server.emit(PATH, { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: '40' } } });
      server.emit(PATH, { type: 'MODIFIED', object: object('a', 41) });
      await until(() => known.get('a') === '41');
      // A bookmark alone ends no watch.
      assert.deepEqual([lists(), watches()], [1, 1]);
      server.emit(PATH, { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: '50' } } });
      server.endWatches('end');
      await until(() => lastWatch().get('resourceVersion') === '50');
      assert.equal(lists(), 1);
    });
  });

  test('cut off: not live until it is back, and nothing is missed', async () => {
    await watching(async ({ server, lists, live, known, until }) => {
      server.endWatches('cut');
      await server.stop();
      await until(() => !live());
      await server.start();
      await until(live);
      server.emit(PATH, { type: 'MODIFIED', object: object('a', 99) });
      await until(() => known.get('a') === '99');
      assert.equal(lists(), 1);
    });
  });

  for (const [how, refuse] of [
    [
      'as the answer',
      (server: FakeApiServer) => {
        server.refuseWatches({ status: 410, body: status(410, 'Expired', 'too old resource version') });
      },
    ],
    [
      'as an event',
      (server: FakeApiServer) => {
        server.refuseWatches({
          text: `${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired', 'too old resource version') })}\n`,
        });
      },
    ],
  ] as const) {
    test(`410 ${how}: lists again and forgets what is gone`, async () => {
      await watching(async ({ server, known, lists, until }) => {
        server.answer(() => list(50, object('a', 45), object('new', 44)));
        refuse(server);
        server.endWatches('end');
        await until(() => lists() > 1);
        server.refuseWatches(undefined);
        await server.watched(PATH);
        await until(() => known.has('new'));
        assert.deepEqual([...known.keys()].sort(), ['a', 'new']);
      });
    });
  }

  test('a list that fails is tried again', async () => {
    await watching(async ({ server, lists, until, live }) => {
      let failures = 3;
      server.answer(() =>
        failures-- > 0 ? { status: 503, body: status(503, 'ServiceUnavailable', 'not yet') } : list(60),
      );
      server.refuseWatches({ status: 410, body: status(410, 'Expired', 'gone') });
      server.endWatches('end');
      await until(() => failures < 0);
      server.refuseWatches(undefined);
      await until(() => lists() > 1 && live());
    });
  });

  test('silence, without even a bookmark, is taken for a dead connection', async () => {
    await watching(async ({ server, until }) => {
      const before = server.requests.length;
      await until(() => server.requests.length > before);
    }, 0.1);
  });

  test('a watch that ends at once again and again does not become a busy loop', async () => {
    await watching(async ({ server }) => {
      server.refuseWatches({ text: '' });
      server.endWatches('end');
      const before = server.requests.length;
      await sleep(200);
      assert.ok(server.requests.length - before < 50, `${server.requests.length - before} requests`);
    });
  });
});
