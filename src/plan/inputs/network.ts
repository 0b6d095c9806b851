/** Who may talk to whom: network policies follow from the graph. */
import type { Catalog, Service } from '../../catalog/schema.ts';
import { VAULT, checkInstance } from '../../contract/names.ts';
import { releasesOf } from '../releases.ts';

export interface NetworkPeer {
  namespace: string;
  /** Release whose pods may connect. */
  instance: string;
}

/** Pods that may reach a service: its own steps and checks, and all releases of whoever needs it. */
export function networkPeers(catalog: Catalog, service: Service): NetworkPeer[] {
  const clients = catalog.services.filter((other) => other !== service && connectsTo(other, service.name));
  const own = releasesOf(service).filter(({ position }) => position !== 'main');
  const checks = service.checks
    .filter(({ kind }) => kind === 'job')
    .map(({ name }) => ({ namespace: service.namespace, instance: checkInstance(service.name, name) }));
  // Jobs and pods only: the deployer reaches Vault through the API server, the ApplicationSet has no pods.
  const releases = [...own, ...clients.flatMap(releasesOf)]
    .filter(({ kind, image }) => kind === 'release' && image !== undefined)
    .map(({ namespace, name }) => ({ namespace, instance: name }));
  return [...releases, ...checks].sort(
    (a, b) => a.namespace.localeCompare(b.namespace) || a.instance.localeCompare(b.instance),
  );
}

function connectsTo(client: Service, server: string): boolean {
  // Everybody waits for Vault because of the Secrets made from it; only those that log in talk to it.
  const waits =
    server === VAULT.service
      ? client.secrets.some(({ delivery }) => delivery === 'login')
      : client.dependsOn.includes(server);
  return (
    waits || client.talksTo.includes(server) || client.databases.some((database) => database.startsWith(`${server}/`))
  );
}
