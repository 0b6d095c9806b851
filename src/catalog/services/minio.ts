import { fromSecret, http, httpHealth, jobRow, jobStep } from '../build.ts';
import { IMAGES } from '../images.ts';
import type { ServiceInput } from '../schema.ts';

const server = {
  module: 'minio',
  kind: 'release',
  chart: { bundled: 'minio', upstream: 'minio' },
  image: IMAGES.minio,
  dependsOn: ['vault'],
  health: httpHealth(9000, '/minio/health/ready'),
  startupSeconds: 6,
  healthTimeoutSeconds: 180,
  stateful: true,
} satisfies Partial<ServiceInput>;

export const minio: ServiceInput[] = [
  {
    ...server,
    number: 26,
    phase: 8,
    name: 'app-plane-minio',
    namespace: 'app-plane',
    description: 'Object storage',
    volumeSize: '50Gi',
    ports: [http('api', 9000), http('console', 9001, { nodePort: 31041 })],
    publicHost: { name: 'storage', port: 'console' },
    secrets: [fromSecret('storage/app-plane-minio', 'rootUser', 'rootPassword')],
  },
  {
    ...jobRow(5),
    number: 27,
    phase: 8,
    name: 'minio-init',
    namespace: 'app-plane',
    module: 'minio',
    description: "Makes the app plane's buckets and their user",
    image: IMAGES.minioClient,
    dependsOn: ['app-plane-minio'],
    secrets: [fromSecret('storage/app-plane-minio')],
  },
  {
    ...server,
    number: 28,
    phase: 8,
    name: 'control-plane-minio',
    namespace: 'control-plane',
    description: 'Tenant assets',
    volumeSize: '20Gi',
    ports: [http('api', 9000), http('console', 9001)],
    publicHost: { name: 'assets', port: 'console' },
    secrets: [fromSecret('storage/control-plane-minio', 'rootUser', 'rootPassword')],
    // The description lists this Job, but gives it no row.
    after: [
      jobStep({
        name: 'control-plane-minio-init',
        image: IMAGES.minioClient,
        secrets: [fromSecret('storage/control-plane-minio')],
        startupSeconds: 5,
      }),
    ],
  },
];
