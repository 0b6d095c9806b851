import { fromSecret, http, httpHealth, postgresServer } from '../build.ts';
import { IMAGES } from '../images.ts';
import type { ServiceInput } from '../schema.ts';

export const database: ServiceInput[] = [
  {
    number: 3,
    phase: 1,
    name: 'cloudnative-pg',
    namespace: 'cnpg-system',
    module: 'database',
    kind: 'release',
    description: 'PostgreSQL operator, for clusters to come: none of the four servers uses it yet',
    chart: { bundled: 'cloudnative-pg', upstream: 'cloudnative-pg' },
    image: IMAGES.cloudnativePg,
    dependsOn: [],
    health: httpHealth(8080, '/metrics'),
    ports: [{ name: 'webhook', port: 443, containerPort: 9443, protocol: 'tcp' }, http('metrics', 8080)],
    secrets: [],
    makes: [
      { kind: 'Secret', name: 'cnpg-ca-secret' },
      { kind: 'Secret', name: 'cnpg-webhook-cert' },
      { kind: 'ConfigMap', name: 'cnpg-default-monitoring' },
    ],
    startupSeconds: 6,
    healthTimeoutSeconds: 180,
    stateful: false,
  },
  {
    ...postgresServer('control-plane-postgres', 'database-system', {
      server: 'database/postgres',
      databases: [fromSecret('database/keycloak', 'username', 'password')],
    }),
    number: 4,
    phase: 2,
    module: 'database',
    description: 'Control plane databases: arc_saas and keycloak',
  },
  {
    ...postgresServer('supabase-db', 'database-system', {
      server: 'database/supabase',
      ownerKeys: ['authenticator-username', 'authenticator-password'],
      databases: [fromSecret('app-plane/directus', 'db-username', 'db-password')],
    }),
    number: 20,
    phase: 7,
    module: 'database',
    description: 'Tenant business data, and the content of Directus',
    volumeSize: '20Gi',
    startupSeconds: 12,
  },
  {
    ...postgresServer('components-v2-postgres', 'database-system', { server: 'database/components-v2', databases: [] }),
    number: 21,
    phase: 7,
    module: 'database',
    description: 'Component catalog, the single source of truth',
  },
];
