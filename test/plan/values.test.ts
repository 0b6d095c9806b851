import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import { VAULT_CA_SECRET } from '../../src/contract/names.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import type { Tree } from '../../src/environment/merge.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { wantedSecrets } from '../../src/plan/vault/kubernetes-secrets.ts';
import { networkPeers } from '../../src/plan/inputs/network.ts';
import { allReleases, findRelease, findService } from '../../src/plan/releases.ts';
import { mergeValues, overlay } from '../../src/plan/inputs/values.ts';

const catalog = loadCatalog();
let sandbox: Environment;
let prod: Environment;
before(async () => {
  const config = readConfig({});
  [sandbox, prod] = await Promise.all([loadEnvironment('sandbox', config), loadEnvironment('prod', config)]);
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
    assert.deepEqual(overlayOf(sandbox, 'django-backend')['image'], {
      repository: 'registry.ananta.example/platform/django-backend',
      tag: '1.0.0',
    });
    assert.deepEqual(overlayOf(sandbox, 'keycloak')['image'], {
      repository: 'quay.io/keycloak/keycloak',
      tag: '26.5.5',
    });
  });

  test('let the command line win over the environment, and that over the catalog', () => {
    const environment = { ...sandbox, images: { ...sandbox.images, tags: { 'django-backend': '2.0.0' } } };
    assert.equal((overlayOf(environment, 'django-backend')['image'] as Tree)['tag'], '2.0.0');
    assert.equal(
      (overlayOf(environment, 'django-backend', { 'django-backend': '3.0.0' })['image'] as Tree)['tag'],
      '3.0.0',
    );
  });

  test('open the ports of the catalog', () => {
    assert.deepEqual(overlayOf(sandbox, 'admin-app')['service'], {
      ports: [{ name: 'http', port: 80, containerPort: 8080, protocol: 'http', nodePort: 31555 }],
    });
  });

  test('name Secrets and their keys', () => {
    assert.deepEqual(overlayOf(sandbox, 'argocd')['secretRefs'], [
      {
        name: 'argocd-secret',
        path: 'gitops/argocd',
        keys: ['admin.password', 'admin.passwordMtime', 'server.secretkey'],
      },
      { name: 'vault-gitops-argocd', path: 'gitops/argocd', keys: ['redis-password'] },
    ]);
  });

  test('log in to Vault where the catalog says so', () => {
    assert.deepEqual(overlayOf(sandbox, 'cns-service')['vault'], {
      login: true,
      role: 'ananta-cns-service',
      address: 'http://vault.vault-system.svc:8200',
      paths: ['app-plane/cns-service'],
    });
    assert.deepEqual(overlayOf(sandbox, 'keycloak')['vault'], { login: false });
  });

  test('give volumes class and size', () => {
    const environment = { ...sandbox, storage: { class: 'ssd', sizes: { rabbitmq: '7Gi' } } };
    assert.deepEqual(overlayOf(environment, 'rabbitmq')['storage'], { class: 'ssd', size: '7Gi' });
    assert.equal(overlayOf(environment, 'keycloak')['storage'], undefined);
  });

  const REPLICAS: [string, number | undefined][] = [
    ['dashboard', 3],
    ['keycloak', 1],
    ['rabbitmq', 1],
    ['keycloak-init', undefined],
    ['temporal', 1],
  ];
  for (const [name, expected] of REPLICAS) {
    test(`run ${expected ?? 'no'} replicas of ${name} in production`, () => {
      assert.equal(overlayOf({ ...prod, charts: 'bundled' }, name)['replicaCount'], expected);
    });
  }

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
    assert.deepEqual(peers('temporal-postgresql'), [
      'temporal-system/temporal',
      'temporal-system/temporal-postgresql-databases',
      'temporal-system/temporal-schema',
    ]);
    assert.ok(peers('control-plane-postgres').includes('control-plane/tenant-management-service'));
    assert.ok(peers('control-plane-postgres').includes('auth-system/keycloak'));
  });

  test('of Vault are those that log in, not those that wait for its Secrets', () => {
    const logIn = catalog.services.filter(({ secrets }) => secrets.some(({ delivery }) => delivery === 'login'));
    assert.deepEqual(peers('vault'), logIn.map(({ namespace, name }) => `${namespace}/${name}`).sort());
    assert.ok(peers('vault').includes('app-plane/cns-service') && !peers('vault').includes('auth-system/keycloak'));
  });

  test('include those that only talk', () => {
    assert.ok(peers('webhook-bridge').includes('control-plane/tenant-management-service'));
  });
});

describe('no secret value stands in any values', () => {
  /** Values of keys that sound like a credential: all of them have to be names, never contents. */
  const SUSPICIOUS = /password|secret|token|credential|apikey|accesskey|cookie|private/i;
  const names = new Set([
    ...wantedSecrets(catalog).flatMap(({ name, keys, path }) => [name, path, ...keys]),
    ...catalog.secretPaths.flatMap(({ path, keys }) => [path, ...keys.map(({ name }) => name)]),
    // Certificates.
    ...catalog.services.map(({ name }) => `${name}-tls`),
    VAULT_CA_SECRET,
  ]);

  function suspects(value: unknown, key = ''): string[] {
    if (Array.isArray(value)) return value.flatMap((entry) => suspects(entry, key));
    if (typeof value === 'object' && value !== null)
      return Object.entries(value).flatMap(([name, entry]) => suspects(entry, `${key}.${name}`));
    return typeof value === 'string' && SUSPICIOUS.test(key) && !names.has(value) ? [`${key}: ${value}`] : [];
  }

  for (const environment of ['sandbox', 'prod'] as const) {
    test(environment, () => {
      const chosen = environment === 'sandbox' ? sandbox : prod;
      const found = allReleases(catalog)
        .filter(({ kind }) => kind === 'release')
        .flatMap((release) => suspects(overlay(catalog, chosen, release, {}), release.name))
        // Names of Secrets with which images are pulled.
        .filter((line) => !/pullSecrets/i.test(line));
      assert.deepEqual(found, []);
    });
  }
});
