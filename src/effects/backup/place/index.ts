/** The places that an environment's file names for its backups and its checkpoints. */
import { resolve } from 'node:path';
import type { Clients } from '../../../clients/index.ts';
import { DeployError } from '../../../contract/errors.ts';
import { FAILURES } from '../../../contract/failures.ts';
import { folderPlace, localKeeper } from './folder.ts';
import type { BackupPlace } from './types.ts';

export { folderPlace, localKeeper } from './folder.ts';
export { type BackupPlace, type KeptFile, LEFT_MILLISECONDS } from './types.ts';

/**
 * @returns undefined where the environment names none
 * @throws DeployError where what is written there would go with this worker's pod
 */
export function placeFor(
  { environment, config }: Pick<Clients, 'environment' | 'config'>,
  what: 'backup' | 'checkpoint',
): BackupPlace | undefined {
  const { backup } = environment;
  if (backup?.to === undefined) return undefined;
  const folder = resolve(config.repoRoot, backup.to);
  if (config.pod !== undefined && backup.claim === undefined)
    throw new DeployError(
      FAILURES.invalidInput,
      `A ${what} in ${folder} would go with this worker's pod: name the claim that it shall have there (backup.claim), then install again.`,
    );
  return folderPlace(folder, localKeeper(environment, config));
}
