/** Everything that can be found wrong without touching anything. */
import { resolve } from 'node:path';
import { AnantaError } from '../../contract/errors.ts';
import type { Catalog } from '../../catalog/schema.ts';
import { ConfigurationError, loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import type { Environment } from '../../environment/schema.ts';
import { type PlatformInputs, platformInputs } from '../../plan/inputs/platform-inputs.ts';
import { checkImages } from '../shared/arguments.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';

export interface Prepared {
  environment: Environment;
  catalog: Catalog;
  /** Of every release, read once in this process. */
  inputs: PlatformInputs;
}

/**
 * Loads and validates environment and catalog.
 * @param imageTags from the command line
 * @throws ConfigurationError, CatalogError, or CliError (refused) for a service that does not exist
 */
export async function preflight(
  context: CliContext,
  environmentName: string,
  imageTags: Record<string, string> = {},
): Promise<Prepared> {
  const environment = await loadEnvironment(environmentName, context.config);
  const catalog = await loadPlatform(environment, context.config);
  checkImages(
    imageTags,
    catalog.services.map(({ name }) => name),
  );
  return { environment, catalog, inputs: platformInputs(catalog, environment, context.config) };
}

/**
 * Reads every chart and every values file that the deployment will use: a broken one is refused now, not at its turn.
 * @throws CliError (refused)
 */
export async function checkInputs(
  { environment, inputs }: Prepared,
  imageTags: Record<string, string>,
  context: CliContext,
): Promise<void> {
  await checkPublicKeys(environment, context);
  const { resourceConflicts } = await import('../../plan/inputs/resources.ts');
  try {
    const conflicts = await resourceConflicts(environment, await inputs(imageTags));
    if (conflicts.length > 0) throw new ConfigurationError(conflicts);
  } catch (error) {
    if (error instanceof AnantaError) throw error;
    throw refused(
      `Charts and values below helm/ cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      'Correct the file named above, then run the same command again.',
    );
  }
}

/** Vault would ask for them after half the way. @throws PublicKeyError (named ConfigurationError) */
async function checkPublicKeys({ vault: { keys } }: Environment, { config }: CliContext): Promise<void> {
  if (keys.publicKeys === undefined && keys.rootTokenKey === undefined) return;
  const { readPublicKey } = await import('../../clients/vault/public-keys.ts');
  for (const file of [...(keys.publicKeys ?? []), ...(keys.rootTokenKey === undefined ? [] : [keys.rootTokenKey])])
    await readPublicKey(resolve(config.repoRoot, file));
}
