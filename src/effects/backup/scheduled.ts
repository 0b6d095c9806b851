import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { EffectScope } from '../effect.ts';
import { makeBackup as makeOne } from './backup.ts';
import { backupFolder, pruneBackups, requireLasting } from './folder.ts';

/** As the environment's file says now. A second attempt writes the same file, whole. */
export async function makeBackup(
  clients: Clients,
  { at }: InputOf<'makeBackup'>,
  scope: EffectScope,
): OutputOf<'makeBackup'> {
  scope.doing('backs up Vault and records');

  const environment = await currentEnvironment(clients);
  const folder = backupFolder(environment, clients.config.repoRoot);
  if (environment.backup === undefined || folder === undefined)
    return { skipped: "the environment's file names no folder for backups by now (backup.to)" };
  requireLasting(folder, environment, clients.config, 'backup');
  const { recipients, keep } = environment.backup;
  const { path, bytes, sha256 } = await makeOne(
    { ...clients, environment },
    { recipients, to: `${folder}/`, by: 'the schedule', at: new Date(at) },
    scope.signal,
  );
  return { file: path, bytes, sha256, pruned: await pruneBackups(folder, environment.name, keep) };
}
