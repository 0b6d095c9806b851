import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Tree } from '../../../src/environment/files/merge.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import type { SecretUse, Service } from '../../../src/catalog/schema.ts';
import { networkPeers } from '../../../src/plan/inputs/network.ts';
import { allReleases, findRelease, findService } from '../../../src/plan/releases.ts';
import { mergeValues, overlay } from '../../../src/plan/inputs/values.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';

const catalog = await miniCatalog();
let sandbox: Environment;
let prod: Environment;
before(async () => {
  [sandbox, prod] = await Promise.all([miniEnvironment(), miniEnvironment('prod')]);
});

const overlayOf = (environment: Environment, release: string, tags: Record<string, string> = {}): Tree =>
  overlay(catalog, environment, findRelease(catalog, release), tags);

describe('values of bundled charts', () => {
  test('have the same keys for every service', () => {
    for (const release of allReleases(catalog).filter(({ kind, image }) => kind === 'release' && image !== undefined)) {
      const keys = Object.keys(overlay(catalog, sandbox, release, {}));
      for (const key of [
        'fullnameOverride',
        'image',
        'imagePullSecrets',
        'serviceAccount',
        'vault',
        'secretRefs',
        'networkPolicy',
        'global',
      ]) {
        assert.ok(keys.includes(key), `${release.name}: ${key}`);
      }
    }
  });

  test("put the environment's prefix before the platform's own images, and nowhere else", () => {
    assert.deepEqual(overlayOf(sandbox, 'api')['image'], {
      repository: 'registry.ananta.example/platform/api',
      tag: '1.0.0',
    });
    assert.deepEqual(overlayOf(sandbox, 'auth')['image'], {
      repository: 'quay.io/keycloak/keycloak',
      tag: '26.5.5',
    });
  });

  test('let the command line win over the environment, and that over the catalog', () => {
    const environment = { ...sandbox, images: { ...sandbox.images, tags: { api: '2.0.0' } } };
    assert.equal((overlayOf(environment, 'api')['image'] as Tree)['tag'], '2.0.0');
    assert.equal((overlayOf(environment, 'api', { api: '3.0.0' })['image'] as Tree)['tag'], '3.0.0');
  });

  test('open the ports of the catalog', () => {
    assert.deepEqual(overlayOf(sandbox, 'web')['service'], {
      ports: [{ name: 'http', port: 80, containerPort: 8080, protocol: 'http', nodePort: 31080 }],
    });
  });

  test('name Secrets and their keys', () => {
    const services = catalog.services.map((service): Service => {
      if (service.name !== 'storage') return service;
      const own: SecretUse = { path: 'storage/main', delivery: 'kubernetes', keys: ['accessKey'], secretName: 'store' };
      return { ...service, secrets: [own, ...service.secrets] };
    });
    const changed = { ...catalog, services };
    assert.deepEqual(overlay(changed, sandbox, findRelease(changed, 'storage'), {})['secretRefs'], [
      { name: 'store', path: 'storage/main', keys: ['accessKey'] },
      { name: 'vault-storage-main', path: 'storage/main', keys: ['rootUser', 'rootPassword'] },
    ]);
  });

  test('log in to Vault where the catalog says so', () => {
    assert.deepEqual(overlayOf(sandbox, 'api')['vault'], {
      login: true,
      role: 'ananta-api',
      address: 'http://vault.vault-system.svc:8200',
      paths: ['apps/api'],
    });
    assert.deepEqual(overlayOf(sandbox, 'auth')['vault'], { login: false });
  });

  test('give volumes class and size', () => {
    const environment = { ...sandbox, storage: { class: 'ssd', sizes: { database: '7Gi' } } };
    assert.deepEqual(overlayOf(environment, 'database')['storage'], { class: 'ssd', size: '7Gi' });
    assert.equal(overlayOf(environment, 'auth')['storage'], undefined);
  });

  const REPLICAS: [string, number | undefined][] = [
    ['web', 3],
    ['auth', 1],
    ['vault', 3],
    ['database', 1],
    ['schema', undefined],
    ['worker', 1],
  ];
  for (const [name, expected] of REPLICAS) {
    test(`run ${expected ?? 'no'} replicas of ${name} in production`, () => {
      assert.equal(
        overlayOf({ ...prod, charts: 'bundled', replicas: { default: 3, services: { worker: 1 } } }, name)[
          'replicaCount'
        ],
        expected,
      );
    });
  }

  test('run none of a service that the environment scales to zero, whichever chart it has', () => {
    for (const name of ['web', 'auth', 'worker']) {
      const environment = { ...prod, replicas: { default: 3, services: { [name]: 0 } } };
      assert.equal(overlayOf({ ...environment, charts: 'bundled' }, name)['replicaCount'], 0);
    }
  });

  test('win over the file, key by key', () => {
    assert.deepEqual(
      mergeValues({ env: { A: '1' }, image: { tag: 'old', pullPolicy: 'Always' } }, { image: { tag: 'new' } }),
      {
        env: { A: '1' },
        image: { tag: 'new', pullPolicy: 'Always' },
      },
    );
    assert.deepEqual(mergeValues(null, { a: 1 }), { a: 1 });
  });
});

describe('network peers', () => {
  const peers = (name: string): string[] =>
    networkPeers(catalog, findService(catalog, name)).map(({ namespace, instance }) => `${namespace}/${instance}`);

  test('are whoever depends on a service or uses its databases, with their steps', () => {
    assert.deepEqual(peers('database'), [
      'apps/api',
      'apps/auth',
      'apps/auth-realm',
      'apps/worker',
      'data/database-roles',
      'data/schema',
    ]);
    assert.deepEqual(peers('storage'), ['apps/api', 'data/storage-buckets']);
  });

  test('of Vault are those that log in, not those that wait for its Secrets', () => {
    const logIn = catalog.services.filter(({ secrets }) => secrets.some(({ delivery }) => delivery === 'login'));
    assert.deepEqual(peers('vault'), logIn.map(({ namespace, name }) => `${namespace}/${name}`).sort());
    assert.ok(peers('vault').includes('apps/api') && !peers('vault').includes('apps/auth'));
  });

  test('include those that only talk', () => {
    const services = catalog.services.map((service) =>
      service.name === 'storage' ? { ...service, talksTo: ['web'] } : service,
    );
    assert.deepEqual(peers('web'), []);
    assert.deepEqual(networkPeers({ ...catalog, services }, findService(catalog, 'web')), [
      { namespace: 'data', instance: 'storage' },
      { namespace: 'data', instance: 'storage-buckets' },
    ]);
  });
});
