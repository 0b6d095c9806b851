/** What the catalog says a service talks to, against which the configuration is held. */
import type { Catalog, Service } from '../../../src/catalog/schema.ts';
import { host } from '../../../src/catalog/build.ts';
import { VAULT } from '../../../src/contract/names.ts';

/** Dependencies that are an order and no connection: what they wait for was brought about by the other one. */
export const ORDER_ONLY: Record<string, string[]> = {
  // The API makes the indexes and the first settings of their database.
  'novu-ws': ['novu-api'],
};

/** Services whose pages talk from the browser: their pods wait for the others and never call them. */
export const IN_BROWSER: Record<string, string[]> = {
  'novu-web': ['novu-api', 'novu-ws'],
  'admin-app': ['tenant-management-service'],
  'customer-portal': ['supabase-api', 'cns-service', 'django-backend'],
  'cns-dashboard': ['cns-service'],
  'backstage-portal': ['django-backend'],
  dashboard: ['novu-ws'],
};

/** Names of services that the pods of this one connect to, by the catalog. */
export function connectionsOf(catalog: Catalog, service: Service): string[] {
  const without = [...(ORDER_ONLY[service.name] ?? []), ...(IN_BROWSER[service.name] ?? [])];
  const named = [...service.dependsOn, ...service.talksTo].filter(
    (name) => !without.includes(name) && catalog.services.find((other) => other.name === name)?.kind !== 'job',
  );
  const servers = service.databases.map((database) => database.split('/')[0] ?? '');
  // Everybody else gets Secrets from it, and never sees Vault.
  const vault = service.secrets.some(({ delivery }) => delivery === 'login') ? [VAULT.service] : [];
  return [...new Set([...named.filter((name) => name !== VAULT.service), ...servers, ...vault])].sort();
}

/** The service that answers under an address of the cluster; undefined for the parts of a service among themselves. */
export function serviceAt(catalog: Catalog, address: string): string | undefined {
  return catalog.services.find(({ name, namespace }) => host(name, namespace) === address)?.name;
}

/** Everything that is there before a service is started. */
export function before(catalog: Catalog, name: string): Set<string> {
  const found = new Set<string>();
  const add = (service: string): void => {
    for (const next of catalog.services.find((candidate) => candidate.name === service)?.dependsOn ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      add(next);
    }
  };
  add(name);
  return found;
}
