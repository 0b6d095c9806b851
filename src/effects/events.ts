/** Events of a service's releases, the oldest first, without the platform's values; reads only. */
import type { Service } from '../catalog/schema.ts';
import type { Clients } from '../clients/index.ts';
import { releasesOf } from '../plan/releases.ts';
import { neighboursOf } from './evidence/index.ts';
import { type EventLine, gather } from './evidence/sections.ts';
import { registerAllSecrets } from './vault/register-all.ts';

export async function readServiceEvents(
  clients: Pick<Clients, 'environment' | 'catalog' | 'kubernetes' | 'vault' | 'redactor'>,
  service: Service,
  signal: AbortSignal,
): Promise<EventLine[]> {
  const { kubernetes, redactor } = clients;
  await kubernetes.watches.synced(signal);
  await registerAllSecrets(clients, signal);
  const releases = releasesOf(service).filter(({ kind }) => kind === 'release');
  const found = await Promise.all(
    releases.map((release) => gather(kubernetes, release, neighboursOf(clients, release), signal)),
  );
  return found
    .flatMap(({ events }) => events)
    .map((event) => ({ ...event, message: redactor.redactForeign(event.message) }))
    .sort((a, b) => a.at.localeCompare(b.at));
}
