/**
 * Entry: `node versions.ts ENVIRONMENT` reads the numbers of an environment's versions for completion and keeps them.
 * Starts nothing, and says nothing.
 */
import { createClients } from '../../clients/index.ts';
import { readConfig } from '../../config.ts';
import { readVersions } from '../../effects/versions/store.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { requireOwnCluster } from '../deploy/binding.ts';
import { keep, readKept } from './cache.ts';
import { type KeptVersions, versionsName } from './names.ts';

const LIMIT_MS = 15_000;
const config = readConfig();
const name = process.argv[2] ?? '';
const kept = readKept(config, versionsName(name)) as KeptVersions | undefined;
// Whoever presses the key meanwhile does not ask, too.
keep(config, versionsName(name), { versions: kept?.versions ?? [], readAt: Date.now() } satisfies KeptVersions);
const limit = setTimeout(() => process.exit(), LIMIT_MS);
try {
  const environment = await loadEnvironment(name, config);
  const connections = await resolveConnections(environment, config);
  const clients = await createClients(environment, connections, config, { isRunAlive: () => Promise.resolve(false) });
  await requireOwnCluster(clients);
  const versions = (await readVersions(clients.kubernetes, name)).map(({ version, at, operation }) => ({
    value: String(version),
    description: `${operation}, ${at.slice(0, 16).replace('T', ' ')}`,
  }));
  keep(config, versionsName(name), { versions, readAt: Date.now() } satisfies KeptVersions);
  await clients.close();
} catch {
  // What was known stays.
}
clearTimeout(limit);
process.exit();
