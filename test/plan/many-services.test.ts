/** The work for each service does not grow with the number of services in the catalog. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import wide from '../../platforms/wide/platform.ts';
import { checkReferences } from '../../src/catalog/check/references.ts';
import { type Catalog, catalogSchema } from '../../src/catalog/schema.ts';
import { networkPeers } from '../../src/plan/inputs/network.ts';
import { allReleases, findRelease, findService, helmReleasesOf } from '../../src/plan/releases.ts';

/** @returns how often any row was looked at while each service was asked for */
function looksAt(services: number): number {
  let looks = 0;
  const catalog = catalogSchema.parse(wide({ services, layers: 5 }));
  const counted: Catalog = {
    ...catalog,
    services: new Proxy(catalog.services, {
      get(rows, key, receiver): unknown {
        looks += 1;
        return Reflect.get(rows, key, receiver);
      },
    }),
  };
  assert.deepEqual(checkReferences(counted), []);
  for (const { name } of catalog.services) {
    const service = findService(counted, name);
    networkPeers(counted, service);
    assert.equal(findRelease(counted, name).service, name);
    assert.equal(helmReleasesOf(counted, name).length, 1);
  }
  assert.equal(allReleases(counted).length, services + 2);
  return looks;
}

test('twice the services cost twice the looks, at most', () => {
  const [few, many] = [looksAt(200), looksAt(400)];
  assert.ok(many <= few * 2, `${many} looks at 400 services, ${few} at 200`);
});
