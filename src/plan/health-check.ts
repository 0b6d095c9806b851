/** Which health check applies: a publisher's chart may run another version, which answers elsewhere. */
import type { Health, Service } from '../catalog/schema.ts';
import type { Environment } from '../environment/schema.ts';

/** The semantic probe of a service in an environment. */
export function healthOf(environment: Pick<Environment, 'charts'>, service: Service): Health {
  return environment.charts === 'upstream' && service.healthUpstream !== undefined ? service.healthUpstream : service.health;
}
