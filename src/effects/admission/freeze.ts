import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { freezeAt } from '../../plan/freeze/state.ts';
import type { EffectScope } from '../effect.ts';

/**
 * By the file as it is now: an exception that is added to it counts for what waits already. Zone data come with Node,
 * so a workflow that computed them itself would not replay the same everywhere.
 */
export async function checkFreeze(
  clients: Pick<Clients, 'environment' | 'config' | 'catalog'>,
  run: InputOf<'checkFreeze'>,
  scope: EffectScope,
): OutputOf<'checkFreeze'> {
  scope.doing('looks whether the environment is frozen');

  const { freeze } = await currentEnvironment(clients);
  if (freeze === undefined || (run.operation !== undefined && freeze.allow.includes(run.operation)))
    return { frozen: false, windows: [], onFrozen: 'refuse', waitSeconds: 0 };
  return { ...freezeAt(freeze, Date.now()), onFrozen: freeze.onFrozen, waitSeconds: freeze.waitSeconds };
}
