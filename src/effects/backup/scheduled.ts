import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { EffectScope } from '../effect.ts';
import { makeBackup as makeOne } from './backup.ts';
import { placeFor } from './place/index.ts';
import { pruneBackups } from './prune.ts';

/** As the environment's file says now. A second attempt writes the same file, whole. */
export async function makeBackup(
  clients: Clients,
  { at }: InputOf<'makeBackup'>,
  scope: EffectScope,
): OutputOf<'makeBackup'> {
  scope.doing('backs up Vault and records');

  const environment = await currentEnvironment(clients);
  const place = placeFor({ ...clients, environment }, 'backup');
  if (environment.backup === undefined || place === undefined)
    return { skipped: "the environment's file names no place for backups by now (backup.to)" };
  const { recipients, keep } = environment.backup;
  const { path, bytes, sha256 } = await makeOne(
    { ...clients, environment },
    { recipients, to: place, by: 'the schedule', at: new Date(at) },
    scope.signal,
  );
  return { file: path, bytes, sha256, ...(await pruneBackups(place, environment.name, keep, scope.signal)) };
}
