/** Taking over several services at once, or giving them back: in the order of the graph, all of them or none. */
import type { Clients } from '../../clients/index.ts';
import type { AdoptedRelease } from '../../contract/operations/adopt.ts';
import { PlanRefusedError } from '../../plan/charts/source.ts';
import { digestOf } from '../../plan/digest.ts';
import { topologicalOrder } from '../../plan/graph.ts';
import { type Adopting, type Adoption, adoptionAmong, strangersOf } from './adoption.ts';
import { requireNoSynchronisers } from './synchronisers.ts';
import { givingBackOf, takenOverServices } from './give-back.ts';

export interface ServiceAdoption {
  service: string;
  releases: AdoptedRelease[];
  /** Over what was shown of it. */
  digest: string;
}

/**
 * Those that others depend on first. Changes nothing.
 * @param services names, or all of which something is somebody else's
 * @param more `looked`: whoever has confirmed it has seen who applies it by itself, with rights of their own
 * @throws PlanRefusedError that names everything that stands against it; DamagedRecordError
 */
export async function adoptionsOf(
  clients: Adopting,
  services: readonly string[] | 'all',
  signal: AbortSignal,
  more: { looked?: boolean } = {},
): Promise<ServiceAdoption[]> {
  const strangers = await strangersOf(clients, signal);
  const foreign = [...strangers.foreign.values()].map(({ service }) => service);
  const wanted = inOrder(clients, services, (name) => foreign.includes(name));
  if (wanted.length === 0)
    throw new PlanRefusedError("There is nothing to take over: no release of our names is somebody else's.");
  const adoptions = await allOf(wanted, (service) => adoptionAmong(clients, service, strangers, signal));
  await requireNoSynchronisers(
    clients,
    adoptions.flatMap(({ releases }) => releases),
    signal,
    more,
  );
  return adoptions;
}

/**
 * Dependents first. Changes nothing.
 * @param services names, or all that were taken over
 * @throws PlanRefusedError that names everything that stands against it
 */
export async function givingsBackOf(
  clients: Pick<Clients, 'kubernetes' | 'catalog' | 'environment'>,
  services: readonly string[] | 'all',
  signal: AbortSignal,
): Promise<ServiceAdoption[]> {
  const taken = services === 'all' ? await takenOverServices(clients, signal) : services;
  const wanted = inOrder(clients, services, (name) => taken.includes(name)).reverse();
  if (wanted.length === 0)
    throw new PlanRefusedError(
      'There is nothing to give back: no release was taken over, or all were given back already.',
    );
  return allOf(wanted, (service) => givingBackOf(clients, service, signal));
}

/** Of one service that of the service alone. */
export function adoptionsDigest(adoptions: readonly ServiceAdoption[], undo?: true): string {
  const [one, ...more] = adoptions;
  if (one !== undefined && more.length === 0) return one.digest;
  return digestOf([undo ? 'undo' : 'adopt', adoptions.map(({ service, digest }) => [service, digest])]);
}

function inOrder(
  { catalog }: Pick<Clients, 'catalog'>,
  services: readonly string[] | 'all',
  all: (name: string) => boolean,
): string[] {
  return topologicalOrder(catalog.services)
    .map(({ name }) => name)
    .filter((name) => (services === 'all' ? all(name) : services.includes(name)));
}

async function allOf(
  services: readonly string[],
  of: (service: string) => Promise<Adoption>,
): Promise<ServiceAdoption[]> {
  const done: ServiceAdoption[] = [];
  const refused: string[] = [];
  for (const service of services) {
    try {
      done.push({ service, ...(await of(service)) });
    } catch (error) {
      if (!(error instanceof PlanRefusedError)) throw error;
      refused.push(error.message);
    }
  }
  if (refused.length > 0) throw new PlanRefusedError(refused.join('\n'));
  return done;
}
