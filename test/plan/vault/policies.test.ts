import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Catalog, SecretUse } from '../../../src/catalog/schema.ts';
import { wantedSecrets } from '../../../src/plan/vault/kubernetes-secrets.ts';
import { allReleases } from '../../../src/plan/releases.ts';
import { suppliedKeys } from '../../../src/plan/vault/supplied.ts';
import {
  deployerPolicy,
  deployerRole,
  policyNames,
  readablePaths,
  serviceRoles,
  wantedPolicies,
} from '../../../src/plan/vault/policies.ts';
import { miniCatalog } from '../../support/mini.ts';

const mini = await miniCatalog();
/** As mini: with a Secret of another name, two more that read a path themselves, and a value that comes later. */
const FURTHER: Record<string, SecretUse[]> = {
  storage: [
    {
      path: 'storage/main',
      delivery: 'kubernetes',
      keys: ['accessKey', 'secretKey'],
      secretName: 'store-secret',
      labels: { 'app.kubernetes.io/part-of': 'store' },
    },
  ],
  worker: [{ path: 'apps/api', delivery: 'login' }],
  admin: [{ path: 'apps/admin', delivery: 'login' }],
};
const catalog: Catalog = {
  ...mini,
  secretPaths: [
    ...mini.secretPaths,
    {
      path: 'apps/admin',
      origin: 'ours',
      description: 'Issued by what the platform runs',
      keys: [{ kind: 'supplied', name: 'api-key', description: 'A key', initially: 'placeholder' }],
    },
  ],
  services: mini.services.map((service) => ({
    ...service,
    secrets: [...service.secrets, ...(FURTHER[service.name] ?? [])],
  })),
};

describe('Kubernetes Secrets', () => {
  const secrets = wantedSecrets(catalog);
  const find = (namespace: string, name: string) =>
    secrets.find((secret) => secret.namespace === namespace && secret.name === name);

  test('are one per namespace and path, with the keys that are needed there', () => {
    assert.deepEqual(find('apps', 'vault-database-main')?.keys, ['password', 'username']);
    assert.deepEqual(find('data', 'vault-database-main')?.keys, ['password', 'postgres-password', 'username']);
    assert.deepEqual(find('apps', 'vault-storage-main')?.keys, ['accessKey', 'secretKey']);
    assert.equal(new Set(secrets.map(({ namespace, name }) => `${namespace}/${name}`)).size, secrets.length);
  });

  test('bear the name and label that a reader insists on', () => {
    assert.deepEqual(find('data', 'store-secret'), {
      namespace: 'data',
      name: 'store-secret',
      path: 'storage/main',
      keys: ['accessKey', 'secretKey'],
      labels: { 'app.kubernetes.io/part-of': 'store' },
    });
    assert.ok(find('data', 'vault-storage-main')?.keys.includes('rootPassword'));
  });

  test('never hold what services read in Vault themselves', () => {
    for (const path of ['apps/api', 'apps/admin']) {
      assert.equal(
        secrets.some((secret) => secret.path === path),
        false,
        path,
      );
    }
  });

  test('exist wherever a release refers to one', () => {
    for (const { name, namespace, secrets: uses } of allReleases(catalog)) {
      for (const use of uses.filter(({ delivery }) => delivery === 'kubernetes')) {
        assert.ok(
          secrets.some((secret) => secret.namespace === namespace && secret.path === use.path),
          `${name} ${use.path}`,
        );
      }
    }
  });
});

describe('Vault roles', () => {
  const roles = serviceRoles(catalog);

  test('are bound to the service account and namespace of their service alone', () => {
    const api = roles.find(({ name }) => name === 'ananta-api');
    assert.equal(api?.serviceAccount, 'api');
    assert.equal(api.namespace, 'apps');
    assert.deepEqual(api.policies, ['ananta-read-own-path']);
    const worker = roles.find(({ name }) => name === 'ananta-worker');
    assert.deepEqual(worker?.policies, ['ananta-read-apps.api']);
  });

  test('give policies that read one path each, and nothing else', () => {
    const policies = wantedPolicies(catalog, 'auth_kubernetes_1');
    const given = new Set(roles.flatMap((role) => role.policies));
    assert.deepEqual(
      [...given].filter((name) => !policies.some((policy) => policy.name === name)),
      [],
    );
    for (const { name, policy } of policies.filter((found) => found.name !== 'ananta-deployer')) {
      assert.match(name, /^ananta-read-[a-z0-9.-]+$/);
      assert.match(policy, /^path "secret\/data\/[^"*+]+" \{ capabilities = \["read"\] \}$/, name);
    }
    assert.deepEqual(policies.map(({ name }) => name).sort(), policyNames(catalog).sort());
  });

  test('exist for everybody who logs in', () => {
    const login = catalog.services
      .filter(({ secrets }) => secrets.some(({ delivery }) => delivery === 'login'))
      .map(({ name }) => `ananta-${name}`);
    assert.deepEqual(
      login.filter((name) => !roles.some((role) => role.name === name)),
      [],
    );
  });

  test('never open a path of which the service may see only some keys', () => {
    for (const service of catalog.services) {
      const partial = service.secrets
        .filter(({ keys, delivery }) => delivery === 'kubernetes' && keys !== undefined)
        .map(({ path }) => path);
      assert.deepEqual(
        readablePaths(service).filter(
          (path) =>
            partial.includes(path) && !service.secrets.some((use) => use.path === path && use.delivery === 'login'),
        ),
        [],
        service.name,
      );
    }
  });

  test('of the deployer cannot change itself', () => {
    const { name, serviceAccount, namespace, policies } = deployerRole();
    const { policy } = deployerPolicy();
    assert.deepEqual(policies, [name]);
    assert.equal(`${namespace}/${serviceAccount}`, 'vault-system/ananta-deployer');
    assert.match(policy, new RegExp(`path "auth/kubernetes/role/${name}" \\{ capabilities = \\["read"\\] \\}`));
    // It writes no policy at all, and no role under another spelling of its own name.
    assert.deepEqual(policy.match(/path "sys\/policies[^\n]*/g), [
      'path "sys/policies/acl" { capabilities = ["list"] }',
      'path "sys/policies/acl/*" { capabilities = ["read"] }',
    ]);
    for (const prefix of ['ananta-D', 'ananta-dE', 'ananta-deployeR', 'A'])
      assert.ok(policy.includes(`path "auth/kubernetes/role/${prefix}*" { capabilities = ["deny"] }`), prefix);
    // Handing over is the one thing that Vault wants sudo for.
    assert.doesNotMatch(
      policy.replace('secret/undelete/', '').replace('path "sys/step-down" { capabilities = ["update", "sudo"] }', ''),
      /delete|sudo|root/,
    );
  });
});

test('supplied keys are asked for before a deployment, unless the platform itself issues them', () => {
  assert.deepEqual(
    suppliedKeys(catalog)
      .filter(({ path }) => ['apps/api', 'apps/admin'].includes(path))
      .map(({ path, key, required }) => `${path} ${key} ${required}`),
    ['apps/api mail-api-key true', 'apps/admin api-key false'],
  );
});
