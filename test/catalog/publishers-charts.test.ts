/** Values of the publishers' charts of the Ananta Platform. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { healthOf } from '../../src/plan/health-check.ts';
import { findRelease, findService } from '../../src/plan/releases.ts';
import { overlay } from '../../src/plan/inputs/values.ts';

const catalog = loadCatalog();
let prod: Environment;
before(async () => {
  prod = await loadEnvironment('prod', readConfig({}));
});

/** Reads `a.b.0.c` from values. */
function at(values: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], values);
}

const EXPECTED: [release: string, path: string, value: unknown][] = [
  ['control-plane-postgres', 'fullnameOverride', 'control-plane-postgres'],
  ['control-plane-postgres', 'auth.existingSecret', 'vault-database-postgres'],
  ['control-plane-postgres', 'primary.persistence', { size: '50Gi', storageClass: 'ssd' }],
  ['novu-redis', 'auth.existingSecretPasswordKey', 'redis-password'],
  ['novu-redis', 'extraDeploy.0.metadata.name', 'novu-redis'],
  ['rabbitmq', 'auth.username', 'ananta'],
  ['rabbitmq', 'service', { type: 'ClusterIP' }],
  ['rabbitmq', 'extraDeploy.0.spec.ports.0', { name: 'management', port: 15672, targetPort: 15672, nodePort: 31673 }],
  ['keycloak', 'externalDatabase.existingSecret', 'vault-database-keycloak'],
  ['keycloak', 'externalDatabase.host', 'control-plane-postgres.database-system.svc'],
  ['keycloak', 'auth.existingSecret', 'vault-auth-keycloak'],
  ['keycloak', 'service.ports.http', 8080],
  ['keycloak', 'resources.limits.memory', '2Gi'],
  [
    'keycloak',
    'ingress',
    {
      enabled: true,
      ingressClassName: 'nginx',
      hostname: 'auth.ananta.example',
      pathType: 'Prefix',
      annotations: { 'cert-manager.io/cluster-issuer': 'letsencrypt' },
      extraTls: [{ hosts: ['auth.ananta.example'], secretName: 'keycloak-tls' }],
    },
  ],
  [
    'control-plane-minio',
    'consoleIngress',
    {
      enabled: true,
      ingressClassName: 'nginx',
      annotations: { 'cert-manager.io/cluster-issuer': 'letsencrypt' },
      path: '/',
      hosts: ['assets.ananta.example'],
      tls: [{ hosts: ['assets.ananta.example'], secretName: 'control-plane-minio-tls' }],
    },
  ],
  ['novu-mongodb', 'auth.existingSecret', 'vault-notifications-mongodb'],
  ['app-plane-minio', 'consoleService.nodePort', 31041],
  ['control-plane-minio', 'consoleService.type', 'ClusterIP'],
  ['control-plane-minio', 'podLabels', { 'app.kubernetes.io/instance': 'control-plane-minio' }],
  ['jaeger', 'extraObjects.0.spec.ports.1', { name: 'otlp-grpc', port: 4317, targetPort: 4317 }],
  ['argocd', 'configs.secret.createSecret', false],
  ['vault', 'server.dataStorage.size', '2Gi'],
  // Without it the chart's own probes would ask the listener of TLS by http://.
  ['vault', 'global.tlsDisable', false],
  ['vault', 'server.ha.apiAddr', 'https://$(VAULT_K8S_POD_NAME).vault-internal:8200'],
  ['vault', 'server.volumes', [{ name: 'tls', secret: { secretName: 'vault-tls' } }]],
  ['redis-exporter', 'image.pullSecrets', ['ananta-registry']],
  ['ananta-platform', 'applicationSet.templatePatch', false],
];

describe("values of the publishers' charts", () => {
  for (const [release, path, value] of EXPECTED) {
    test(`${release}: ${path}`, () => {
      assert.deepEqual(at(overlay(catalog, prod, findRelease(catalog, release), {}), path), value);
    });
  }

  test('exist for every chart of the catalog', () => {
    for (const service of catalog.services.filter(({ chart }) => chart.upstream !== undefined)) {
      assert.equal(overlay(catalog, prod, findRelease(catalog, service.name), {})['fullnameOverride'], service.name);
    }
  });

  test('answer health checks where their version does', () => {
    const keycloak = findService(catalog, 'keycloak');
    assert.deepEqual(healthOf({ charts: 'upstream', chartOverrides: {} }, keycloak), {
      kind: 'http',
      port: 8080,
      path: '/health/ready',
    });
    assert.deepEqual(healthOf({ charts: 'bundled', chartOverrides: {} }, keycloak), {
      kind: 'http',
      port: 9000,
      path: '/health/ready',
    });
    assert.deepEqual(healthOf({ charts: 'upstream', chartOverrides: { keycloak: 'bundled' } }, keycloak), {
      kind: 'http',
      port: 9000,
      path: '/health/ready',
    });
  });
});
