import { fromSecret, grpc, http, httpHealth } from '../build.ts';
import { IMAGES } from '../images.ts';
import type { ServiceInput } from '../schema.ts';

export const observability: ServiceInput[] = [
  {
    number: 18,
    phase: 6,
    name: 'jaeger',
    namespace: 'monitoring-system',
    module: 'observability',
    kind: 'release',
    description: 'Distributed tracing, all in one, kept in memory',
    chart: { bundled: 'jaeger', upstream: 'jaeger' },
    image: IMAGES.jaeger,
    dependsOn: [],
    health: httpHealth(16686, '/'),
    ports: [http('query', 16686), grpc('otlp-grpc', 4317), http('otlp-http', 4318)],
    secrets: [],
    checks: [
      {
        kind: 'http',
        name: 'query',
        description: 'Traces can be looked for',
        port: 16686,
        path: '/api/services',
        expect: { body: '"data"' },
        answer: { body: JSON.stringify({ data: ['jaeger'], total: 1, errors: null }) },
      },
    ],
    startupSeconds: 5,
    healthTimeoutSeconds: 180,
    stateful: false,
  },
  {
    number: 19,
    phase: 6,
    name: 'redis-exporter',
    namespace: 'monitoring-system',
    module: 'observability',
    kind: 'release',
    description: 'Metrics of the three Redis servers',
    chart: { bundled: 'prometheus-redis-exporter', upstream: 'prometheus-redis-exporter' },
    image: IMAGES.redisExporter,
    dependsOn: ['control-plane-redis', 'novu-redis', 'app-plane-redis'],
    // Scrapes each server independently, so any of them may be missing.
    optionalDependencies: ['control-plane-redis', 'novu-redis', 'app-plane-redis'],
    health: httpHealth(9121, '/health'),
    ports: [http('metrics', 9121)],
    secrets: [
      fromSecret('cache/control-plane-redis'),
      fromSecret('cache/novu-redis'),
      fromSecret('cache/app-plane-redis'),
    ],
    startupSeconds: 3,
    healthTimeoutSeconds: 180,
    stateful: false,
  },
];
