import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { completed } from '../../plan/steps/complete.ts';
import { buildUndoPlan, revisionBefore } from '../../plan/versions/undo.ts';
import type { EffectScope } from '../effect.ts';
import { orphanedReleases } from '../observe/cluster.ts';
import { readOurRevisions } from '../versions/contents.ts';
import { crossedMigrations } from '../versions/survey.ts';

/**
 * What a failed run changed is read from the labels of the revisions that it wrote, not from what the workflow knows:
 * a Helm that failed half-way has changed something, too.
 */
export async function planUndo(
  clients: Clients,
  { run }: InputOf<'planUndo'>,
  scope: EffectScope,
): OutputOf<'planUndo'> {
  scope.doing('plans to take back what the deployment changed');

  const environment = await currentEnvironment(clients);
  const revisions = await readOurRevisions(clients, scope.signal);
  const crossed = await crossedMigrations(
    clients,
    revisions,
    (key) => revisionBefore(revisions.get(key) ?? [], run.runId)?.revision ?? 'untouched',
    scope.signal,
  );
  await clients.kubernetes.watches.synced(scope.signal);
  const orphaned = orphanedReleases(clients);
  const { catalog } = clients;
  const plan = buildUndoPlan({ catalog, environment, runId: run.runId, revisions, crossed, orphaned });
  return completed(plan, { verb: 'undo' });
}
