import { customRow, fromSecret, grpc, http, httpHealth, jobRow, jobStep, postgresServer } from '../build.ts';
import { IMAGES } from '../images.ts';
import type { ServiceInput } from '../schema.ts';

export const temporal: ServiceInput[] = [
  {
    ...postgresServer('temporal-postgresql', 'temporal-system', { server: 'database/temporal', databases: [] }),
    number: 6,
    phase: 3,
    module: 'temporal',
    description: "The platform's Temporal: its database",
  },
  {
    ...customRow(12),
    number: 7,
    phase: 3,
    name: 'temporal',
    namespace: 'temporal-system',
    module: 'temporal',
    description: 'Workflow engine of the platform',
    image: IMAGES.temporal,
    dependsOn: ['temporal-postgresql'],
    health: { kind: 'grpc', port: 7233, service: 'temporal.api.workflowservice.v1.WorkflowService' },
    ports: [grpc('grpc', 7233), http('http', 7243)],
    secrets: [fromSecret('database/temporal', 'username', 'password')],
    databases: ['temporal-postgresql/temporal', 'temporal-postgresql/temporal_visibility'],
    // The image no longer brings its schema.
    before: [
      jobStep({
        name: 'temporal-schema',
        image: IMAGES.temporalAdminTools,
        secrets: [fromSecret('database/temporal', 'username', 'password')],
        startupSeconds: 8,
      }),
    ],
  },
  {
    ...customRow(4),
    number: 8,
    phase: 3,
    name: 'temporal-ui',
    namespace: 'temporal-system',
    module: 'temporal',
    description: 'Workflow dashboard',
    image: IMAGES.temporalUi,
    dependsOn: ['temporal'],
    health: httpHealth(8080, '/healthz'),
    ports: [http('http', 8080, { nodePort: 31021 })],
    secrets: [],
  },
  {
    ...jobRow(6),
    number: 9,
    phase: 3,
    name: 'temporal-init',
    namespace: 'temporal-system',
    module: 'temporal',
    description: 'Makes the Temporal namespaces arc-saas and enrichment',
    image: IMAGES.temporalAdminTools,
    dependsOn: ['temporal'],
    secrets: [],
  },
];
