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
  const clients = (clientsIn(catalog).get(service.name) ?? []).filter((other) => other.name !== service.name);
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

const known = new WeakMap<Catalog, ReadonlyMap<string, Service[]>>();

/** @returns by name of the server who connects to it, in the order of their numbers; worked out once for a catalog */
function clientsIn(catalog: Catalog): ReadonlyMap<string, Service[]> {
  const found = known.get(catalog);
  if (found !== undefined) return found;
  const clients = new Map<string, Service[]>();
  for (const client of catalog.services)
    for (const server of serversOf(client)) {
      const before = clients.get(server);
      if (before === undefined) clients.set(server, [client]);
      else before.push(client);
    }
  known.set(catalog, clients);
  return clients;
}

function serversOf({ dependsOn, talksTo, databases, secrets }: Service): Set<string> {
  // Everybody waits for Vault because of the Secrets made from it; only those that log in talk to it.
  const waitsFor = dependsOn.filter((server) => server !== VAULT.service);
  const logsIn = secrets.some(({ delivery }) => delivery === 'login') ? [VAULT.service] : [];
  return new Set([...waitsFor, ...logsIn, ...talksTo, ...databases.map((database) => database.split('/')[0] ?? '')]);
}
