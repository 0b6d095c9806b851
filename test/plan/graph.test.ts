import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Service } from '../../src/catalog/schema.ts';
import {
  criticalPath,
  dependentsOf,
  findCycle,
  remainingSeconds,
  topologicalOrder,
  withoutImpliedDependencies,
  type Dependent,
} from '../../src/plan/graph.ts';
import { allReleases, findRelease, findService, releasesOf } from '../../src/plan/releases.ts';
import { serviceSeconds, startupSeconds } from '../../src/plan/inputs/startup.ts';
import { miniCatalog } from '../support/mini.ts';

const catalog = await miniCatalog();

const node = (name: string, ...dependsOn: string[]): Dependent => ({ name, dependsOn });
/** b and c depend on a, d on b and c; e stands alone. */
const DIAMOND = [node('d', 'b', 'c'), node('c', 'a'), node('b', 'a'), node('a'), node('e')];
const SECONDS: Record<string, number> = { a: 1, b: 2, c: 5, d: 1, e: 6 };
const secondsOf = (name: string): number => SECONDS[name] ?? 0;

describe('graph', () => {
  test('orders everything after what it depends on', () => {
    const order = topologicalOrder(DIAMOND).map(({ name }) => name);
    assert.deepEqual(order, ['a', 'b', 'c', 'd', 'e']);
  });

  test('refuses to order a loop, and spells it out', () => {
    assert.throws(
      () => topologicalOrder([node('a', 'c'), node('b', 'a'), node('c', 'b')]),
      /dependency cycle: a → c → b → a/,
    );
  });

  const LOOPS: [string, Dependent[], string[] | undefined][] = [
    ['none', DIAMOND, undefined],
    ['itself', [node('a', 'a')], ['a', 'a']],
    ['two', [node('a', 'b'), node('b', 'a')], ['a', 'b', 'a']],
    ['behind a tail', [node('x', 'a'), node('a', 'b'), node('b', 'a')], ['a', 'b', 'a']],
    ['unknown names are no loop', [node('a', 'nobody')], undefined],
  ];
  for (const [name, services, expected] of LOOPS) {
    test(`finds a loop: ${name}`, () => assert.deepEqual(findCycle(services), expected));
  }

  test('knows what is still ahead of each service', () => {
    assert.deepEqual(Object.fromEntries(remainingSeconds(DIAMOND, secondsOf)), { a: 7, b: 3, c: 6, d: 1, e: 6 });
  });

  test('finds the longest path', () => {
    assert.deepEqual(criticalPath(DIAMOND, secondsOf), { seconds: 7, path: ['a', 'c', 'd'] });
    assert.deepEqual(criticalPath([], secondsOf), { seconds: 0, path: [] });
  });

  test('knows who waits for whom', () => {
    assert.deepEqual(dependentsOf(DIAMOND).get('a'), ['c', 'b']);
  });

  test('drops dependencies that others imply', () => {
    const reduced = withoutImpliedDependencies([
      node('a'),
      node('b', 'a'),
      node('c', 'a', 'b'),
      node('d', 'a', 'c', 'b'),
    ]);
    assert.deepEqual(
      reduced.map(({ dependsOn }) => dependsOn.join()),
      ['', 'a', 'b', 'c'],
    );
  });
});

describe('start-up times', () => {
  const simulation = { factor: 0.5, jitter: 0.1, seed: 7, startupSeconds: { slow: 100 } };

  test('are as declared where nothing is simulated', () => {
    assert.equal(startupSeconds({}, 'any', 12), 12);
  });

  test('are scaled, jittered within bounds, and the same every time', () => {
    const all = Array.from({ length: 200 }, (_, index) => startupSeconds({ simulation }, `service-${index}`, 10));
    assert.ok(all.every((seconds) => seconds >= 4.5 && seconds <= 5.5));
    assert.ok(Math.max(...all) > 5.3 && Math.min(...all) < 4.7, 'spread');
    assert.equal(startupSeconds({ simulation }, 'service-1', 10), all[1]);
    assert.notEqual(startupSeconds({ simulation: { ...simulation, seed: 8 } }, 'service-1', 10), all[1]);
  });

  test('can be set per service', () => {
    assert.ok(startupSeconds({ simulation }, 'slow', 1) >= 45);
  });

  test('of a service include its steps; real work is not scaled', () => {
    const vault = catalog.services.find(({ name }) => name === 'vault');
    assert.ok(vault);
    assert.equal(
      serviceSeconds({ simulation: { factor: 0.5, jitter: 0, seed: 1, startupSeconds: {} } }, vault),
      8 * 0.5 + 2,
    );
    assert.equal(serviceSeconds({}, vault), 10);
  });
});

describe('releases', () => {
  test('of a service come in the order of their application', () => {
    const names = (service: Service): string[] =>
      releasesOf(service).map((release) => `${release.position} ${release.name}`);
    const database = findService(catalog, 'database');
    assert.deepEqual(names(findService(catalog, 'vault')), ['main vault', 'after vault-init']);
    assert.deepEqual(names(database), ['main database', 'after database-roles']);
    assert.deepEqual(names({ ...database, before: database.after, after: [] }), [
      'before database-roles',
      'main database',
    ]);
  });

  test('are found by name, steps too', () => {
    assert.equal(findRelease(catalog, 'storage-buckets').service, 'storage');
    assert.throws(() => findRelease(catalog, 'nobody'), /no service or step "nobody"/);
  });

  test('are the services and their steps', () => {
    assert.equal(allReleases(catalog).filter(({ position }) => position === 'main').length, catalog.services.length);
    assert.deepEqual(
      allReleases(catalog)
        .filter(({ position }) => position !== 'main')
        .map(({ name }) => name),
      ['vault-init', 'database-roles', 'storage-buckets', 'auth-realm'],
    );
  });
});
