import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { EffectScope } from '../effect.ts';
import { currentEnvironment } from '../environment.ts';
import { verifyAll } from '../verify.ts';
import { checkAll } from './all.ts';

/** As `verify --deep` does; its Jobs run in the cluster, so the cluster has to be the right one. */
export async function lookAtPlatform(
  clients: Clients,
  _run: InputOf<'lookAtPlatform'>,
  scope: EffectScope,
): OutputOf<'lookAtPlatform'> {
  scope.doing('asks every service, and makes every check');
  const environment = await currentEnvironment(clients);
  const [services, checks] = await Promise.all([
    verifyAll(clients, scope),
    checkAll(clients, environment, scope.signal),
  ]);
  return {
    unwell: [
      ...services.filter(({ healthy }) => !healthy).map(({ service, reason }) => `${service}: ${reason}`),
      ...checks
        .filter(({ outcome }) => outcome === 'failed')
        .map(({ service, name, text }) => `check ${service}/${name}: ${text}`),
    ],
  };
}
