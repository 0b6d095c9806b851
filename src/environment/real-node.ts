/** Which services an environment runs as real pods. Pure. */
import type { Catalog, Service } from '../catalog/schema.ts';
import type { Environment } from './schema.ts';

export type RealNode = NonNullable<Extract<Environment['cluster'], { embedded: unknown }>['embedded']['realNode']>;

/** @returns undefined where no node of this machine is real */
export function realNodeOf({ cluster }: Pick<Environment, 'cluster'>): RealNode | undefined {
  return 'embedded' in cluster ? cluster.embedded.realNode : undefined;
}

/** Names of the services whose pods are real, in the catalog's order; none where there is no real node. */
export function realServices(environment: Pick<Environment, 'cluster'>, catalog: Catalog): string[] {
  const node = realNodeOf(environment);
  if (node === undefined) return [];
  const { services, except } = node;
  return catalog.services
    .filter((service) => isWanted(service, services) && !except.includes(service.name))
    .map(({ name }) => name);
}

function isWanted(service: Service, wanted: RealNode['services']): boolean {
  if (wanted === 'all') return true;
  if (wanted === 'public')
    return [service.image, ...[...service.before, ...service.after].map(imageOf)].every((image) => image?.own !== true);
  return wanted.includes(service.name);
}

function imageOf(step: Service['before'][number]): Service['image'] | undefined {
  return 'image' in step ? step.image : undefined;
}
