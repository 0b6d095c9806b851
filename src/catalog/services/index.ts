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

/** The file of a service is named like its module. */
export const SERVICES: ServiceInput[] = [
  argocd,
  vault,
  database,
  cache,
  temporal,
  keycloak,
  novu,
  observability,
  migrations,
  rabbitmq,
  minio,
  supabase,
  directus,
  controlPlane,
  appPlane,
]
  .flat()
  .sort((a, b) => a.number - b.number);
