import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import { wantedSecrets } from '../../src/plan/vault/kubernetes-secrets.ts';
import { allReleases } from '../../src/plan/releases.ts';
import { withSecretTables } from '../../src/plan/render/secrets.ts';
import { suppliedKeys } from '../../src/plan/vault/supplied.ts';
import {
  deployerPolicy,
  deployerRole,
  policyNames,
  readablePaths,
  serviceRoles,
  wantedPolicies,
} from '../../src/plan/vault/policies.ts';

const catalog = loadCatalog();

describe('Kubernetes Secrets', () => {
  const secrets = wantedSecrets(catalog);
  const find = (namespace: string, name: string) =>
    secrets.find((secret) => secret.namespace === namespace && secret.name === name);

  test('are one per namespace and path, with the keys that are needed there', () => {
    assert.deepEqual(find('control-plane', 'vault-database-postgres')?.keys, ['password', 'username']);
    assert.deepEqual(find('database-system', 'vault-database-postgres')?.keys, ['password', 'postgres-password']);
    assert.deepEqual(find('app-plane', 'vault-app-plane-cns-service')?.keys, ['api-token']);
    assert.equal(new Set(secrets.map(({ namespace, name }) => `${namespace}/${name}`)).size, secrets.length);
  });

  test('bear the name and label that a reader insists on', () => {
    assert.deepEqual(find('argocd', 'argocd-secret'), {
      namespace: 'argocd',
      name: 'argocd-secret',
      path: 'gitops/argocd',
      keys: ['admin.password', 'admin.passwordMtime', 'server.secretkey'],
      labels: { 'app.kubernetes.io/part-of': 'argocd' },
    });
    assert.deepEqual(find('argocd', 'vault-gitops-argocd')?.keys, ['redis-password']);
  });

  test('never hold what services read in Vault themselves', () => {
    for (const path of ['control-plane/jwt', 'control-plane/temporal', 'control-plane/webhooks']) {
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
    const cns = roles.find(({ name }) => name === 'ananta-cns-service');
    assert.equal(cns?.serviceAccount, 'cns-service');
    assert.equal(cns.namespace, 'app-plane');
    assert.deepEqual(cns.policies, ['ananta-read-own-path']);
    const worker = roles.find(({ name }) => name === 'ananta-cns-worker');
    assert.deepEqual(worker?.policies, ['ananta-read-app-plane.cns-service']);
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
    suppliedKeys(catalog).map(({ path, key, required }) => `${path} ${key} ${required}`),
    [
      'notifications/novu api-key false',
      'app-plane/cns-service ai-api-key true',
      'app-plane/cns-service supplier-api-token true',
    ],
  );
});

test('docs/secrets.md says who reads what (node launcher.mjs --run scripts/generate-secret-tables.ts)', async () => {
  const document = await readFile(join(readConfig({}).repoRoot, 'docs', 'secrets.md'), 'utf8');
  assert.equal(document, withSecretTables(document, catalog));
});
