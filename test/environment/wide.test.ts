import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { loadPlatform, PlatformError } from '../../src/environment/platform.ts';
import { criticalPath } from '../../src/plan/graph.ts';

const load = (platformParameters: Record<string, string | number>) =>
  loadPlatform({ platform: 'wide', platformParameters }, readConfig({}));

describe('the platform wide', () => {
  for (const [services, layers] of [
    [1, 1],
    [12, 3],
    [500, 5],
    [7, 100],
  ] as const)
    test(`${services} services in ${layers} layers`, async () => {
      const catalog = await load({ services, layers });
      assert.equal(catalog.services.length, services + 1);
      const longest = criticalPath(catalog.services, () => 1);
      assert.equal(longest.seconds, Math.min(layers, services) + 1, 'Vault, then one of each layer');
    });

  test('one service more changes no other row', async () => {
    const [before, after] = [await load({ services: 20, layers: 4 }), await load({ services: 21, layers: 4 })];
    assert.deepEqual(after.services.slice(0, -1), before.services);
    assert.deepEqual({ ...after, services: [] }, { ...before, services: [] });
  });

  for (const [parameters, says] of [
    [{ services: 0 }, /services has to be a whole number from 1 to 10000, and is "0"/],
    [{ layers: 'many' }, /layers has to be a whole number/],
    [{ width: 3 }, /there is no parameter "width"; known: services, layers/],
  ] as const)
    test(`refuses ${JSON.stringify(parameters)}`, async () => {
      await assert.rejects(load(parameters), (error: Error) => {
        assert.ok(error instanceof PlatformError, error.stack);
        assert.match(error.message, says);
        return true;
      });
    });
});
