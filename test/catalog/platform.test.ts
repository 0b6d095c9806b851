import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';

const words = (text: string): string[] => text.trim().split(/\s+/);
const rows = (text: string): string[][] => text.trim().split('\n').map(words);

/** The 15 modules of the platform's description. */
const MODULES = words(`
  argocd vault database cache temporal keycloak novu observability
  supabase minio rabbitmq directus control-plane app-plane migrations
`);

/** The platform's description: number, phase, name, namespace, chart. */
const INVENTORY = `
  1 1 argocd argocd argo-cd
  2 1 vault vault-system vault
  3 1 cloudnative-pg cnpg-system cloudnative-pg
  4 2 control-plane-postgres database-system postgresql
  5 2 control-plane-redis cache-system redis
  6 3 temporal-postgresql temporal-system postgresql
  7 3 temporal temporal-system Custom
  8 3 temporal-ui temporal-system Custom
  9 3 temporal-init temporal-system Job
  10 4 keycloak auth-system keycloak
  11 4 keycloak-init auth-system Job
  12 5 novu-mongodb notifications mongodb
  13 5 novu-redis notifications redis
  14 5 novu-api notifications Custom
  15 5 novu-ws notifications Custom
  16 5 novu-worker notifications Custom
  17 5 novu-web notifications Custom
  18 6 jaeger monitoring-system jaeger
  19 6 redis-exporter monitoring-system prometheus-redis-exporter
  20 7 supabase-db database-system postgresql
  21 7 components-v2-postgres database-system postgresql
  22 7 supabase-migrations database-system Job
  23 7 components-v2-migrations database-system Job
  24 8 app-plane-redis app-plane redis
  25 8 rabbitmq app-plane rabbitmq
  26 8 app-plane-minio app-plane minio
  27 8 minio-init app-plane Job
  28 8 control-plane-minio control-plane minio
  29 9 supabase-api app-plane Custom
  30 9 supabase-meta app-plane Custom
  31 9 supabase-studio app-plane Custom
  32 10 directus app-plane Custom
  33 11 tenant-management-service control-plane Custom
  34 11 temporal-worker-service control-plane Custom
  35 11 subscription-service control-plane Custom
  36 11 control-plane-migrations control-plane Job
  37 12 cns-service app-plane Custom
  38 12 cns-worker app-plane Custom
  39 12 django-backend app-plane Custom
  40 12 middleware-api app-plane Custom
  41 12 webhook-bridge app-plane Custom
  42 13 audit-logger app-plane Custom
  43 13 novu-consumer app-plane Custom
  44 14 admin-app control-plane Custom
  45 14 customer-portal app-plane Custom
  46 14 cns-dashboard app-plane Custom
  47 14 backstage-portal app-plane Custom
  48 14 dashboard app-plane Custom
`;

/** The description's port tables; names of ours where it says `rabbitmq-mgmt` or `minio-console`. */
const PORTS = `
  tenant-management-service 14000 31400
  admin-app 80 31555
  keycloak 8080 31180
  temporal-ui 8080 31021
  cns-service 8000 31200
  customer-portal 80 31100
  cns-dashboard 80 31250
  supabase-studio 3000 31800
  supabase-api 3000 31810
  directus 8055 31060
  rabbitmq 15672 31673
  app-plane-minio 9001 31041
`;

const SECRET_PATHS = `
  database/postgres database/keycloak database/temporal database/supabase database/components-v2
  cache/control-plane-redis cache/app-plane-redis auth/keycloak
  storage/control-plane-minio storage/app-plane-minio notifications/novu
  control-plane/jwt control-plane/temporal control-plane/webhooks
  app-plane/cns-service app-plane/directus app-plane/supabase
`;

/** Services that were added later come after the described ones and are not checked here. */
const DESCRIBED = rows(INVENTORY).length;

describe('the platform', () => {
  const catalog = loadCatalog();
  const described = catalog.services.filter(({ number }) => number <= DESCRIBED);
  const byName = new Map(catalog.services.map((service) => [service.name, service]));

  test('has the 48 rows of its description', () => {
    assert.deepEqual(
      described.map(({ number, phase, name, namespace }) => `${number} ${phase} ${name} ${namespace}`),
      rows(INVENTORY).map((row) => row.slice(0, 4).join(' ')),
    );
  });

  test('takes every row from the chart that its description names', () => {
    for (const [, , name = '', , chart = ''] of rows(INVENTORY)) {
      const service = byName.get(name);
      if (chart === 'Job') assert.equal(service?.kind, 'job', name);
      else if (chart === 'Custom') assert.deepEqual(service?.chart, { bundled: 'service' }, name);
      else assert.equal(service?.chart.upstream, chart, name);
    }
  });

  test('has services in all 15 modules and in all 11 namespaces', () => {
    assert.deepEqual([...new Set(described.map(({ module }) => module))].sort(), MODULES.sort());
    assert.equal(catalog.namespaces.length, 11);
    assert.deepEqual(
      [...new Set(described.map(({ namespace }) => namespace))].sort(),
      catalog.namespaces.map(({ name }) => name).sort(),
    );
  });

  test('opens the described ports, and no other NodePort', () => {
    const open = described.flatMap(({ name, ports }) =>
      ports.filter(({ nodePort }) => nodePort !== undefined).map(({ port, nodePort }) => `${name} ${port} ${nodePort}`),
    );
    assert.deepEqual(
      open.sort(),
      rows(PORTS)
        .map((row) => row.join(' '))
        .sort(),
    );
  });

  test('knows the 17 described secret paths, and marks its own', () => {
    const seed = catalog.secretPaths.filter(({ origin }) => origin === 'seed').map(({ path }) => path);
    assert.deepEqual(seed.sort(), words(SECRET_PATHS).sort());
    const own = ['app-plane/django-backend', 'cache/novu-redis', 'gitops/argocd', 'messaging/rabbitmq'];
    for (const path of [...own, 'notifications/mongodb']) {
      assert.equal(catalog.secretPaths.find((candidate) => candidate.path === path)?.origin, 'ours', path);
    }
  });

  test('reads every secret path somewhere', () => {
    const read = new Set(
      catalog.services.flatMap(({ secrets, before, after }) =>
        [...secrets, ...[...before, ...after].flatMap((step) => (step.kind === 'release' ? step.secrets : []))].map(
          ({ path }) => path,
        ),
      ),
    );
    assert.deepEqual(
      catalog.secretPaths.map(({ path }) => path).filter((path) => !read.has(path)),
      [],
    );
  });

  test('gives superuser and root passwords to their servers and Jobs only', () => {
    const powerful = /^(postgres-password|rootPassword|mongodb-root-password)$/;
    const holders = described
      .filter(({ secrets }) =>
        secrets.some(({ path, keys, delivery }) => {
          const names =
            keys ??
            catalog.secretPaths.find((candidate) => candidate.path === path)?.keys.map(({ name }) => name) ??
            [];
          return (delivery === 'kubernetes' ? names : []).some((key) => powerful.test(key));
        }),
      )
      .map(({ name }) => name);
    assert.deepEqual(holders, [
      'control-plane-postgres',
      'temporal-postgresql',
      'novu-mongodb',
      'supabase-db',
      'components-v2-postgres',
      'app-plane-minio',
      'minio-init',
      'control-plane-minio',
    ]);
  });

  test('has the described buckets, Temporal namespaces, realm, ApplicationSet', () => {
    assert.deepEqual(
      catalog.bucketSets.map(({ buckets }) => buckets),
      [
        words('arc-saas-tenants arc-saas-assets novu-storage'),
        words('bom-uploads documents exports avatars enrichment-audit bulk-uploads'),
      ],
    );
    assert.deepEqual(
      catalog.temporalNamespaces.map(({ name }) => name),
      ['arc-saas', 'enrichment'],
    );
    assert.equal(catalog.realm!.name, 'ananta-saas');
    assert.equal(catalog.realm!.clients.length, 6);
    assert.equal(catalog.applicationSet!.namespaces.length, 8);
  });

  test('names an exact version in the line of every described chart', () => {
    assert.ok(Object.keys(catalog.upstreamCharts).length >= 11);
    for (const { name, version, versionLine } of Object.values(catalog.upstreamCharts)) {
      assert.match(version, new RegExp(`^${versionLine.replace(/\.x$/, '').replaceAll('.', '\\.')}\\.`), name);
    }
  });

  test('probes with commands that name the host of the service', () => {
    for (const { name, namespace, health } of catalog.services) {
      if (health.kind === 'exec') assert.ok(health.command.includes(`${name}.${namespace}.svc`), name);
    }
  });
});
