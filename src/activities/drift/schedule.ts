import type { Clients } from '../../clients/index.ts';
import { createSchedules } from '../../clients/temporal/index.ts';
import type { Activities } from '../../contract/activities.ts';
import { driftScheduleId } from '../../contract/names.ts';
import { assertTarget, currentEnvironment } from '../context.ts';
import { engineOf } from '../lock/engine.ts';
import { withHeartbeat, type ScopeOf } from '../scope.ts';

/**
 * The schedule of drift runs as the environment's file says now; none where it says `off`. A pause is left as it is.
 */
export function ensureDriftSchedule(clients: Clients, scopeOf: ScopeOf): Activities['ensureDriftSchedule'] {
  return async (run) => {
    const scope = scopeOf();
    return withHeartbeat(
      scope,
      () => 'schedule of drift runs',
      async () => {
        await assertTarget(clients, run, scope.signal);
        const {
          drift: { mode, everySeconds },
        } = await currentEnvironment(clients);
        const { environment, clusterUid } = run;
        const id = driftScheduleId(environment, clusterUid);
        if (mode === 'off') return { changed: await createSchedules(engineOf(clients)).remove(id) };
        const done = await createSchedules(engineOf(clients)).ensure({
          id,
          everySeconds,
          input: { environment, clusterUid, mode },
          summary: mode === 'repair' ? `Find and repair drift on ${environment}` : `Find drift on ${environment}`,
        });
        return { changed: done !== 'unchanged' };
      },
    );
  };
}

export function removeDriftSchedule(clients: Clients, scopeOf: ScopeOf): Activities['removeDriftSchedule'] {
  return async (run) => {
    const scope = scopeOf();
    return withHeartbeat(
      scope,
      () => 'schedule of drift runs',
      async () => {
        await assertTarget(clients, run, scope.signal, 'destroy');
        return {
          removed: await createSchedules(engineOf(clients)).remove(driftScheduleId(run.environment, run.clusterUid)),
        };
      },
    );
  };
}
