import type { Clients } from '../clients/index.ts';
import { DeployError } from '../contract/errors.ts';
import { FAILURES } from '../contract/failures.ts';
import { loadEnvironment } from '../environment/load.ts';
import type { Environment } from '../environment/schema.ts';

/** The environment file as it is now: a worker lives longer than an edit. */
export async function currentEnvironment(
  clients: Pick<Clients, 'environment' | 'config' | 'catalog'>,
): Promise<Environment> {
  const { name, platform } = clients.environment;
  const environment = await loadEnvironment(name, clients.config, clients.catalog);
  if (environment.platform === platform) return environment;
  throw new DeployError(
    FAILURES.invalidInput,
    `This worker serves environment "${name}" with the platform "${platform}", and its file names "${environment.platform}" by now. ` +
      'Nothing was changed; start the worker again.',
  );
}
