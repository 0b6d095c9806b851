/** Databases with their owners, and the migrations that give them a schema. */
import type { CatalogInput } from './schema.ts';

type Database = NonNullable<CatalogInput['databases']>[number];

const database = (server: string, name: string, owner: string, path: string, key = 'password'): Database => ({
  server,
  name,
  owner,
  password: { path, key },
});

export const DATABASES: Database[] = [
  database('control-plane-postgres', 'arc_saas', 'arc_saas', 'database/postgres'),
  database('control-plane-postgres', 'keycloak', 'keycloak', 'database/keycloak'),
  database('temporal-postgresql', 'temporal', 'temporal', 'database/temporal'),
  database('temporal-postgresql', 'temporal_visibility', 'temporal', 'database/temporal'),
  database('supabase-db', 'supabase', 'supabase_admin', 'database/supabase'),
  database('supabase-db', 'directus', 'directus', 'app-plane/directus', 'db-password'),
  database('components-v2-postgres', 'components', 'components', 'database/components-v2'),
];

/** Each folder can be replaced by one's own: `V<number>__<what>.sql`, applied in order, once. */
export const MIGRATIONS: CatalogInput['migrations'] = [
  { service: 'supabase-migrations', database: 'supabase-db/supabase', location: 'migrations/supabase-migrations' },
  {
    service: 'components-v2-migrations',
    database: 'components-v2-postgres/components',
    location: 'migrations/components-v2-migrations',
    checkpoint: { kind: 'postgres' },
  },
  {
    service: 'control-plane-migrations',
    database: 'control-plane-postgres/arc_saas',
    location: 'migrations/control-plane-migrations',
    checkpoint: { kind: 'postgres' },
  },
];
