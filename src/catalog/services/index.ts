/** All 48 rows, from one file per module. */
import type { ServiceInput } from '../schema.ts';
import { appPlane } from './app-plane.ts';
import { argocd } from './argocd.ts';
import { cache } from './cache.ts';
import { controlPlane } from './control-plane.ts';
import { database } from './database.ts';
import { directus } from './directus.ts';
import { keycloak } from './keycloak.ts';
import { migrations } from './migrations.ts';
import { minio } from './minio.ts';
import { novu } from './novu.ts';
import { observability } from './observability.ts';
import { rabbitmq } from './rabbitmq.ts';
import { supabase } from './supabase.ts';
import { temporal } from './temporal.ts';
import { vault } from './vault.ts';

/** Per file below src/catalog/services, so that a problem can be found where it was written. */
export const SERVICES_BY_FILE: Record<string, ServiceInput[]> = {
  'argocd.ts': argocd,
  'vault.ts': vault,
  'database.ts': database,
  'cache.ts': cache,
  'temporal.ts': temporal,
  'keycloak.ts': keycloak,
  'novu.ts': novu,
  'observability.ts': observability,
  'migrations.ts': migrations,
  'rabbitmq.ts': rabbitmq,
  'minio.ts': minio,
  'supabase.ts': supabase,
  'directus.ts': directus,
  'control-plane.ts': controlPlane,
  'app-plane.ts': appPlane,
};

export const SERVICES: ServiceInput[] = Object.values(SERVICES_BY_FILE).flat().sort((a, b) => a.number - b.number);
