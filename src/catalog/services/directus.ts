import { customRow, fromSecret, http, httpHealth } from '../build.ts';
import { IMAGES } from '../images.ts';
import type { ServiceInput } from '../schema.ts';

export const directus: ServiceInput[] = [
  {
    ...customRow(20),
    number: 32,
    phase: 10,
    name: 'directus',
    namespace: 'app-plane',
    module: 'directus',
    description: 'Headless content management',
    image: IMAGES.directus,
    dependsOn: ['supabase-migrations', 'app-plane-redis', 'app-plane-minio', 'minio-init'],
    health: httpHealth(8055, '/server/ping'),
    ports: [http('http', 8055, { nodePort: 31060 })],
    publicHost: { name: 'cms', port: 'http' },
    secrets: [
      fromSecret('app-plane/directus'),
      fromSecret('cache/app-plane-redis'),
      fromSecret('storage/app-plane-minio', 'accessKey', 'secretKey'),
    ],
    databases: ['supabase-db/directus'],
  },
];
