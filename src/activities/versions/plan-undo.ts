import type { Clients } from '../../clients/index.ts';
import type { Activities } from '../../contract/activities.ts';
import { completed } from '../../plan/steps/complete.ts';
import { buildUndoPlan, revisionBefore } from '../../plan/versions/undo.ts';
import { assertTarget, currentEnvironment } from '../context.ts';
import { withHeartbeat, type ScopeOf } from '../scope.ts';
import { readOurRevisions } from './contents.ts';
import { crossedMigrations } from './survey.ts';

/**
 * What a failed run changed is read from the labels of the revisions that it wrote, not from what the workflow knows:
 * a Helm that failed half-way has changed something, too.
 */
export function planUndo(clients: Clients, scopeOf: ScopeOf): Activities['planUndo'] {
  return async ({ run }) => {
    const scope = scopeOf();
    return withHeartbeat(
      scope,
      () => 'plans to take back what the deployment changed',
      async () => {
        const environment = await currentEnvironment(clients);
        await assertTarget(clients, run, scope.signal);
        const revisions = await readOurRevisions(clients, scope.signal);
        const crossed = await crossedMigrations(
          clients,
          revisions,
          (key) => revisionBefore(revisions.get(key) ?? [], run.runId)?.revision ?? 'untouched',
          scope.signal,
        );
        const plan = buildUndoPlan({ catalog: clients.catalog, environment, runId: run.runId, revisions, crossed });
        return completed(plan, { verb: 'undo' });
      },
    );
  };
}
