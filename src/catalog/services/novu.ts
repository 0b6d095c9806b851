import { customRow, fromSecret, host, http, httpHealth, redisServer, tcp } from '../build.ts';
import { IMAGES } from '../images.ts';
import type { ServiceInput, SecretUse } from '../schema.ts';

const namespace = 'notifications';

const stores: SecretUse[] = [
  fromSecret('notifications/mongodb', 'username', 'mongodb-passwords'),
  fromSecret('cache/novu-redis'),
];
const bucketUser = fromSecret('storage/control-plane-minio', 'accessKey', 'secretKey');

export const novu: ServiceInput[] = [
  {
    number: 12,
    phase: 5,
    name: 'novu-mongodb',
    namespace,
    module: 'novu',
    kind: 'release',
    description: 'Novu data store',
    chart: { bundled: 'mongodb', upstream: 'mongodb' },
    image: IMAGES.mongodb,
    dependsOn: ['vault'],
    health: {
      kind: 'exec',
      command: ['mongosh', '--quiet', '--host', host('novu-mongodb', namespace), '--eval', "if (db.adminCommand('ping').ok !== 1) quit(1)"],
    },
    ports: [tcp('mongodb', 27017)],
    secrets: [fromSecret('notifications/mongodb')],
    startupSeconds: 12,
    healthTimeoutSeconds: 300,
    stateful: true,
  },
  {
    ...redisServer('novu-redis', namespace, 'cache/novu-redis'),
    number: 13,
    phase: 5,
    module: 'novu',
    description: 'Novu queues and cache',
  },
  {
    ...customRow(18),
    number: 14,
    phase: 5,
    name: 'novu-api',
    namespace,
    module: 'novu',
    description: 'Notifications: REST API',
    image: IMAGES.novuApi,
    dependsOn: ['novu-mongodb', 'novu-redis', 'control-plane-minio'],
    health: httpHealth(3000, '/v1/health-check'),
    ports: [http('http', 3000)],
    secrets: [...stores, fromSecret('notifications/novu', 'jwt-secret', 'store-encryption-key', 'novu-secret-key'), bucketUser],
  },
  {
    ...customRow(8),
    number: 15,
    phase: 5,
    name: 'novu-ws',
    namespace,
    module: 'novu',
    description: 'Notifications: WebSocket server',
    image: IMAGES.novuWs,
    dependsOn: ['novu-mongodb', 'novu-redis', 'novu-api'],
    health: httpHealth(3002, '/v1/health-check'),
    ports: [http('http', 3002)],
    secrets: [...stores, fromSecret('notifications/novu', 'jwt-secret')],
  },
  {
    ...customRow(10),
    number: 16,
    phase: 5,
    name: 'novu-worker',
    namespace,
    module: 'novu',
    description: 'Notifications: background jobs',
    image: IMAGES.novuWorker,
    dependsOn: ['novu-mongodb', 'novu-redis', 'novu-api'],
    talksTo: ['control-plane-minio'],
    health: httpHealth(3004, '/v1/health-check'),
    ports: [http('http', 3004)],
    secrets: [...stores, fromSecret('notifications/novu', 'store-encryption-key', 'novu-secret-key'), bucketUser],
  },
  {
    ...customRow(5),
    number: 17,
    phase: 5,
    name: 'novu-web',
    namespace,
    module: 'novu',
    description: 'Notifications: dashboard',
    image: IMAGES.novuDashboard,
    dependsOn: ['novu-api', 'novu-ws'],
    health: httpHealth(4000, '/'),
    ports: [http('http', 4000)],
    secrets: [],
  },
];
