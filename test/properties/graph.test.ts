/** What holds for every graph of services. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backwards } from '../../src/plan/destroy/backwards.ts';
import {
  criticalPath,
  type Dependent,
  dependentsOf,
  topologicalOrder,
  withoutImpliedDependencies,
} from '../../src/plan/graph.ts';
import { selectedServices } from '../../src/plan/selection.ts';
import { graphs } from './arbitrary.ts';

/** All that a service needs, by whatever way. */
function needs(services: readonly Dependent[], name: string): Set<string> {
  const found = new Set<string>();
  const add = (one: string): void => {
    for (const below of services.find((service) => service.name === one)?.dependsOn ?? [])
      if (!found.has(below)) {
        found.add(below);
        add(below);
      }
  };
  add(name);
  return found;
}
const namesOf = (services: readonly Dependent[]): string[] => services.map(({ name }) => name);
const secondsOf = (name: string): number => (Number(name.slice(1)) * 7) % 5;

test('each service comes once, after all that it depends on', () => {
  fc.assert(
    fc.property(graphs(), (services) => {
      const order = namesOf(topologicalOrder(services));
      assert.deepEqual([...order].sort(), namesOf(services).sort());
      for (const { name, dependsOn } of services)
        for (const before of dependsOn) assert.ok(order.indexOf(before) < order.indexOf(name));
    }),
  );
});

test('the critical path is a path, and none is longer', () => {
  const longestFrom = (services: readonly Dependent[], name: string): number =>
    secondsOf(name) +
    Math.max(0, ...(dependentsOf(services).get(name) ?? []).map((dependent) => longestFrom(services, dependent)));
  fc.assert(
    fc.property(graphs(7), (services) => {
      const { seconds, path } = criticalPath(services, secondsOf);
      assert.equal(seconds, Math.max(...namesOf(services).map((name) => longestFrom(services, name))));
      assert.equal(
        seconds,
        path.reduce((sum, name) => sum + secondsOf(name), 0),
      );
      for (const [at, name] of path.entries())
        if (at > 0) assert.ok(services.find((one) => one.name === name)?.dependsOn.includes(path[at - 1] ?? ''));
    }),
  );
});

test('what others imply can be left out of a drawing: everything still needs the same', () => {
  fc.assert(
    fc.property(graphs(), (services) => {
      const fewer = withoutImpliedDependencies(services);
      for (const { name, dependsOn } of fewer) {
        assert.deepEqual(needs(fewer, name), needs(services, name));
        // None of those that are left is implied.
        for (const one of dependsOn)
          assert.ok(dependsOn.every((other) => other === one || !needs(services, other).has(one)));
      }
    }),
  );
});

test('backwards, nothing goes before what needs it, across what stays as well', () => {
  fc.assert(
    fc.property(graphs(), fc.array(fc.nat()), (services, staying) => {
      const stays = new Set(staying.map((at) => services[at % services.length]?.name));
      const { services: ordered } = backwards(
        services,
        services.map(({ name }) => ({
          name,
          number: 1,
          phase: 1,
          namespace: 'apps',
          healthTimeoutSeconds: 1,
          action: stays.has(name) ? ('unchanged' as const) : ('remove' as const),
          reason: '',
          steps: [],
          seconds: 1,
        })),
        secondsOf,
      );
      for (const { name } of services.filter((service) => !stays.has(service.name)))
        for (const below of needs(services, name)) {
          if (stays.has(below)) continue;
          assert.ok(needs(ordered, below).has(name), `${below} goes before ${name}`);
        }
    }),
  );
});

test('a selection with what it depends on lacks nothing; what comes after a service is what needs it', () => {
  fc.assert(
    fc.property(graphs(), fc.nat(), (services, pick) => {
      const catalog = { services: services.map((one) => ({ ...one, phase: 1 })), phases: [{ number: 1 }] };
      const name = services[pick % services.length]?.name ?? '';
      const only = selectedServices(catalog, { only: [name], withDependencies: true });
      assert.deepEqual(new Set(only), new Set([name, ...needs(services, name)]));
      const after = selectedServices(catalog, { from: [name] });
      assert.deepEqual(
        new Set(after),
        new Set(namesOf(services).filter((one) => one === name || needs(services, one).has(name))),
      );
    }),
  );
});
