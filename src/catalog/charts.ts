/**
 * The publishers' charts, in the version lines of the platform's description: the newest patch of each. Bitnami's old
 * versions are served from the OCI registry only, its index forgets them after half a year.
 */
import type { UpstreamChart } from './schema.ts';

const bitnami = (component: string, name: string, versionLine: string, version: string): UpstreamChart => ({
  component,
  name,
  versionLine,
  version,
  repository: 'https://charts.bitnami.com/bitnami',
  oci: `oci://registry-1.docker.io/bitnamicharts/${name}`,
});

export const UPSTREAM_CHARTS: Record<string, UpstreamChart> = {
  'argo-cd': {
    component: 'ArgoCD',
    name: 'argo-cd',
    versionLine: '5.46.x',
    version: '5.46.8',
    repository: 'https://argoproj.github.io/argo-helm',
  },
  vault: {
    component: 'Vault',
    name: 'vault',
    versionLine: '0.27.x',
    version: '0.27.0',
    repository: 'https://helm.releases.hashicorp.com',
  },
  postgresql: bitnami('PostgreSQL', 'postgresql', '14.x', '14.3.3'),
  redis: bitnami('Redis', 'redis', '20.x', '20.13.4'),
  rabbitmq: bitnami('RabbitMQ', 'rabbitmq', '15.x', '15.5.3'),
  keycloak: bitnami('Keycloak', 'keycloak', '21.x', '21.8.0'),
  mongodb: bitnami('MongoDB', 'mongodb', '15.x', '15.6.26'),
  minio: {
    component: 'MinIO',
    name: 'minio',
    versionLine: '5.x',
    version: '5.4.0',
    repository: 'https://charts.min.io',
  },
  jaeger: {
    component: 'Jaeger',
    name: 'jaeger',
    versionLine: '3.x',
    version: '3.4.1',
    repository: 'https://jaegertracing.github.io/helm-charts',
  },
  'cloudnative-pg': {
    component: 'CloudNativePG',
    name: 'cloudnative-pg',
    versionLine: '0.21.x',
    version: '0.21.6',
    repository: 'https://cloudnative-pg.github.io/charts',
  },
  // In the description's inventory, but not in its table of charts.
  'prometheus-redis-exporter': {
    component: 'Redis exporter',
    name: 'prometheus-redis-exporter',
    versionLine: '6.x',
    version: '6.29.0',
    repository: 'https://prometheus-community.github.io/helm-charts',
  },
};
