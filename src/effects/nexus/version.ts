import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { chosen } from '../plan/rollback.ts';
import type { EffectScope } from '../effect.ts';
import { readVersions } from '../versions/store.ts';

/** @throws DeployError VersionUnknown where it is not kept */
export async function readVersion(
  { kubernetes, environment: { name } }: Pick<Clients, 'kubernetes' | 'environment'>,
  { version }: InputOf<'readVersion'>,
  scope: EffectScope,
): OutputOf<'readVersion'> {
  scope.doing('reads platform versions');
  const versions = await readVersions(kubernetes, name, scope.signal);
  if (version !== undefined) return { version: chosen(name, versions, version) };
  const [newest] = versions;
  if (newest === undefined)
    throw new DeployError(
      FAILURES.versionUnknown,
      `There is no platform version of "${name}" yet: each successful deployment makes one. Nothing was changed.`,
    );
  return { version: newest };
}
