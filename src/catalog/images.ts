/** Images and their tags, one place for each. The platform's own ones get the environment's prefix in front. */
import type { Image } from './schema.ts';

const image = (repository: string, tag: string): Image => ({ repository, tag, own: false });

/** @param name below the environment's prefix; environments set the tags that they run */
export function ownImage(name: string): Image {
  return { repository: name, tag: '1.0.0', own: true };
}

export const IMAGES = {
  argocd: image('quay.io/argoproj/argocd', 'v3.5.3'),
  // Same line as the embedded server, whose storage it has to read.
  vault: image('docker.io/hashicorp/vault', '1.21.4'),
  // 1.28 is the first line for Kubernetes 1.35.
  cloudnativePg: image('ghcr.io/cloudnative-pg/cloudnative-pg', '1.28.1'),
  // Major version 16 everywhere, as in the publisher's chart: data of another one is not readable.
  postgres: image('docker.io/library/postgres', '16.11'),
  redis: image('docker.io/library/redis', '7.4.9-alpine'),
  rabbitmq: image('docker.io/library/rabbitmq', '4.0.9-management'),
  mongodb: image('docker.io/library/mongo', '7.0.28'),
  // Keycloak and the tool that imports the realm, of one version.
  keycloak: image('quay.io/keycloak/keycloak', '26.5.5'),
  keycloakConfigCli: image('quay.io/adorsys/keycloak-config-cli', '6.5.1-26.5.5'),
  // The last images that MinIO published; they are gone from Docker Hub.
  minio: image('quay.io/minio/minio', 'RELEASE.2025-09-07T16-13-09Z'),
  minioClient: image('quay.io/minio/mc', 'RELEASE.2025-08-13T08-35-41Z'),
  jaeger: image('docker.io/jaegertracing/jaeger', '2.17.0'),
  redisExporter: image('docker.io/oliver006/redis_exporter', 'v1.89.0'),
  flyway: image('docker.io/flyway/flyway', '11.20.0'),

  // auto-setup is no longer built: server and admin tools, of one version.
  temporal: image('docker.io/temporalio/server', '1.32.0'),
  temporalAdminTools: image('docker.io/temporalio/admin-tools', '1.32.0'),
  temporalUi: image('docker.io/temporalio/ui', '2.54.1'),

  postgrest: image('docker.io/postgrest/postgrest', 'v14.17'),
  postgresMeta: image('docker.io/supabase/postgres-meta', 'v0.96.6'),
  supabaseStudio: image('docker.io/supabase/studio', '2026.07.07-sha-a6a04f2'),
  // 12 asks for a licence where Keycloak signs people in.
  directus: image('docker.io/directus/directus', '11.17.4'),

  // All four of one version, or they do not understand each other.
  novuApi: image('ghcr.io/novuhq/novu/api', '3.19.0'),
  novuWs: image('ghcr.io/novuhq/novu/ws', '3.19.0'),
  novuWorker: image('ghcr.io/novuhq/novu/worker', '3.19.0'),
  novuDashboard: image('ghcr.io/novuhq/novu/dashboard', '3.19.0'),
} as const satisfies Record<string, Image>;
