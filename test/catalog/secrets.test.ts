/** Secrets of the Ananta Platform: who gets which, and that docs/understand/secrets.md says so. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import { withSecretTables } from '../../src/plan/render/secrets.ts';
import { wantedSecrets } from '../../src/plan/vault/kubernetes-secrets.ts';
import { readablePaths, serviceRoles } from '../../src/plan/vault/policies.ts';
import { suppliedKeys } from '../../src/plan/vault/supplied.ts';

const catalog = loadCatalog();

describe('Kubernetes Secrets', () => {
  const secrets = wantedSecrets(catalog);
  const find = (namespace: string, name: string) =>
    secrets.find((secret) => secret.namespace === namespace && secret.name === name);

  test('have the keys that are needed in their namespace', () => {
    assert.deepEqual(find('control-plane', 'vault-database-postgres')?.keys, ['password', 'username']);
    assert.deepEqual(find('database-system', 'vault-database-postgres')?.keys, [
      'password',
      'postgres-password',
      'postgres-username',
      'username',
    ]);
    assert.deepEqual(find('app-plane', 'vault-app-plane-cns-service')?.keys, ['api-token']);
  });

  test('of Argo CD bear the name and label that it insists on', () => {
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
    for (const path of ['control-plane/jwt', 'control-plane/temporal', 'control-plane/webhooks'])
      assert.ok(!secrets.some((secret) => secret.path === path), path);
  });
});

test('who logs in to Vault reads its own path by one policy, and paths of others by theirs', () => {
  const roles = serviceRoles(catalog);
  const policies = (name: string): readonly string[] | undefined => roles.find((role) => role.name === name)?.policies;
  assert.deepEqual(policies('ananta-cns-service'), ['ananta-read-own-path']);
  assert.deepEqual(policies('ananta-cns-worker'), ['ananta-read-app-plane.cns-service']);
});

test('nobody opens a path in Vault of which it may see only some keys', () => {
  for (const service of catalog.services) {
    const partial = service.secrets
      .filter(({ keys, delivery }) => delivery === 'kubernetes' && keys !== undefined)
      .map(({ path }) => path);
    const login = service.secrets.filter(({ delivery }) => delivery === 'login').map(({ path }) => path);
    assert.deepEqual(
      readablePaths(service).filter((path) => partial.includes(path) && !login.includes(path)),
      [],
      service.name,
    );
  }
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

test('docs/understand/secrets.md says who reads what (node launcher.mjs --run scripts/generate-secret-tables.ts)', async () => {
  const document = await readFile(join(readConfig({}).repoRoot, 'docs', 'understand', 'secrets.md'), 'utf8');
  assert.equal(document, withSecretTables(document, catalog));
});
