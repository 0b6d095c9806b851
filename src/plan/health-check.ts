/** Which health check applies: a publisher's chart may run another version, which answers elsewhere. */
import type { Health, Service } from '../catalog/schema.ts';
import { type ChartChoice, chartSource } from './charts/source.ts';

/** The semantic probe of a service in an environment. */
export function healthOf(environment: ChartChoice, service: Service): Health {
  return chartSource(environment, service) === 'upstream' && service.healthUpstream !== undefined
    ? service.healthUpstream
    : service.health;
}
