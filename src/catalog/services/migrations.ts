import { fromSecret, jobRow } from '../build.ts';
import { IMAGES } from '../images.ts';
import type { ServiceInput } from '../schema.ts';

export const migrations: ServiceInput[] = [
  {
    ...jobRow(6),
    number: 22,
    phase: 7,
    name: 'supabase-migrations',
    namespace: 'database-system',
    module: 'migrations',
    description: 'Applies the tenant business data schema',
    image: IMAGES.flyway,
    dependsOn: ['supabase-db'],
    secrets: [fromSecret('database/supabase', 'username', 'password')],
    databases: ['supabase-db/supabase'],
  },
  {
    ...jobRow(6),
    number: 23,
    phase: 7,
    name: 'components-v2-migrations',
    namespace: 'database-system',
    module: 'migrations',
    description: 'Applies the component catalog schema',
    image: IMAGES.flyway,
    dependsOn: ['components-v2-postgres'],
    secrets: [fromSecret('database/components-v2', 'username', 'password')],
    databases: ['components-v2-postgres/components'],
  },
  {
    ...jobRow(6),
    number: 36,
    phase: 11,
    name: 'control-plane-migrations',
    namespace: 'control-plane',
    module: 'migrations',
    description: 'Applies the arc_saas schema',
    image: IMAGES.flyway,
    dependsOn: ['control-plane-postgres'],
    secrets: [fromSecret('database/postgres', 'username', 'password')],
    databases: ['control-plane-postgres/arc_saas'],
  },
];
