import { customRow, fromSecret, fromVault, http, httpHealth } from '../build.ts';
import { ownImage } from '../images.ts';
import type { ServiceInput } from '../schema.ts';

const namespace = 'control-plane';
const module = 'control-plane';
const arcSaas = fromSecret('database/postgres', 'username', 'password');

export const controlPlane: ServiceInput[] = [
  {
    ...customRow(15),
    number: 33,
    phase: 11,
    name: 'tenant-management-service',
    namespace,
    module,
    description: 'Main API of the control plane (LoopBack 4)',
    image: ownImage('tenant-management-service'),
    dependsOn: ['control-plane-migrations', 'control-plane-redis', 'keycloak', 'keycloak-init', 'temporal', 'temporal-init', 'control-plane-minio', 'novu-api'],
    talksTo: ['webhook-bridge', 'subscription-service', 'jaeger'],
    health: httpHealth(14000, '/health'),
    ports: [http('http', 14000, { nodePort: 31400 })],
    secrets: [
      arcSaas,
      fromSecret('cache/control-plane-redis'),
      fromSecret('auth/keycloak', 'tenant-management-service-client-secret'),
      fromSecret('storage/control-plane-minio', 'accessKey', 'secretKey'),
      fromSecret('notifications/novu', 'api-key'),
      fromVault('control-plane/jwt'), fromVault('control-plane/temporal'), fromVault('control-plane/webhooks'),
    ],
    databases: ['control-plane-postgres/arc_saas'],
  },
  {
    ...customRow(8),
    number: 34,
    phase: 11,
    name: 'temporal-worker-service',
    namespace,
    module,
    description: 'Provisioning workflows',
    image: ownImage('temporal-worker-service'),
    dependsOn: ['temporal', 'temporal-init', 'tenant-management-service'],
    talksTo: ['keycloak', 'jaeger'],
    health: httpHealth(8081, '/health'),
    ports: [http('http', 8081)],
    secrets: [arcSaas, fromVault('control-plane/jwt'), fromVault('control-plane/temporal')],
    databases: ['control-plane-postgres/arc_saas'],
  },
  {
    ...customRow(10),
    number: 35,
    phase: 11,
    name: 'subscription-service',
    namespace,
    module,
    description: 'Billing management',
    image: ownImage('subscription-service'),
    dependsOn: ['control-plane-migrations', 'control-plane-redis', 'keycloak', 'keycloak-init'],
    talksTo: ['jaeger'],
    health: httpHealth(14001, '/health'),
    ports: [http('http', 14001)],
    secrets: [arcSaas, fromSecret('cache/control-plane-redis'), fromVault('control-plane/jwt'), fromVault('control-plane/webhooks')],
    databases: ['control-plane-postgres/arc_saas'],
  },
  {
    ...customRow(3),
    number: 44,
    phase: 14,
    name: 'admin-app',
    namespace,
    module,
    description: 'Control plane administration (React)',
    image: ownImage('admin-app'),
    dependsOn: ['tenant-management-service', 'keycloak-init'],
    health: httpHealth(8080, '/'),
    ports: [http('http', 80, { containerPort: 8080, nodePort: 31555 })],
    secrets: [],
  },
];
