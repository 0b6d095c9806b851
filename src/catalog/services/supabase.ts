import { customRow, fromSecret, http, httpHealth } from '../build.ts';
import { IMAGES } from '../images.ts';
import type { ServiceInput } from '../schema.ts';

export const supabase: ServiceInput[] = [
  {
    ...customRow(4),
    number: 29,
    phase: 9,
    name: 'supabase-api',
    namespace: 'app-plane',
    module: 'supabase',
    description: 'REST API on the tenant business data (PostgREST)',
    image: IMAGES.postgrest,
    dependsOn: ['supabase-migrations'],
    health: httpHealth(3001, '/ready'),
    ports: [http('http', 3000, { nodePort: 31810 }), http('admin', 3001)],
    publicHost: { name: 'api', port: 'http' },
    secrets: [
      fromSecret('database/supabase', 'authenticator-username', 'authenticator-password'),
      fromSecret('app-plane/supabase', 'jwt-secret'),
    ],
    databases: ['supabase-db/supabase'],
  },
  {
    ...customRow(5),
    number: 30,
    phase: 9,
    name: 'supabase-meta',
    namespace: 'app-plane',
    module: 'supabase',
    description: 'Postgres metadata',
    image: IMAGES.postgresMeta,
    dependsOn: ['supabase-db'],
    health: httpHealth(8080, '/health'),
    ports: [http('http', 8080)],
    secrets: [
      fromSecret('database/supabase', 'username', 'password'),
      fromSecret('app-plane/supabase', 'meta-crypto-key'),
    ],
    databases: ['supabase-db/supabase'],
  },
  {
    ...customRow(10),
    number: 31,
    phase: 9,
    name: 'supabase-studio',
    namespace: 'app-plane',
    module: 'supabase',
    description: 'Database admin UI',
    image: IMAGES.supabaseStudio,
    dependsOn: ['supabase-api', 'supabase-meta'],
    health: httpHealth(3000, '/api/platform/profile'),
    ports: [http('http', 3000, { nodePort: 31800 })],
    secrets: [
      fromSecret('database/supabase', 'username', 'password'),
      fromSecret('app-plane/supabase', 'jwt-secret', 'anon-key', 'service-role-key', 'meta-crypto-key'),
    ],
    databases: ['supabase-db/supabase'],
  },
];
