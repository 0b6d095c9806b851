/** Which health check applies: a publisher's chart may run another version, which answers elsewhere. */
import type { Health, Service } from '../catalog/schema.ts';
import type { Environment } from '../environment/schema.ts';

/** The semantic probe of a service in an environment. */
export function healthOf(environment: Pick<Environment, 'charts'>, service: Service): Health {
  return environment.charts === 'upstream' && service.healthUpstream !== undefined ? service.healthUpstream : service.health;
}

/** Every command that probes run in pods: nothing else has to be allowed there. */
export function probeCommands(services: readonly Service[]): string[][] {
  return services.flatMap(({ health }) => (health.kind === 'exec' ? [health.command] : []));
}

/** For people: `GET /health on 8000`, `pg_isready -h …`. */
export function describeHealth(health: Health): string {
  switch (health.kind) {
    case 'exec': return health.command.join(' ');
    case 'http': return `GET ${health.path} on ${health.port}`;
    case 'tcp': return `TCP connect to ${health.port}`;
    case 'grpc': return `gRPC health of ${health.service} on ${health.port}`;
    case 'vault': return `initialized and unsealed, on ${health.port}`;
    case 'job': return 'Job completed';
  }
}
